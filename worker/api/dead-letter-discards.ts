/** Discards dead letters: one by its event id, or many by a filter whose count the operator has confirmed. */
import { DISCARD_MAX, type DiscardAnswer } from "../../shared/api.ts";
import { AuditError } from "../../shared/errors.ts";
import { deadLetters } from "../dead-letters/client.ts";
import { jsonAnswer } from "../http/answers.ts";
import { jsonOf } from "../http/json.ts";
import type { RouteContext } from "../http/route.ts";
import { isoTime } from "../json-fields.ts";
import { markManyDiscarded } from "../ledger/client.ts";
import { recordOperatorEvent } from "../operator-event.ts";
import { parseDiscardRequest, type DiscardRequest } from "./discard-body.ts";
import { invalid } from "./parameters.ts";

/** Dead letters per step. A step asks each ledger shard once, and an invocation makes at most 1,000 calls. Our choice. */
const STEP = 1_000;

/** `POST /api/dead-letters/discard`. */
export async function discardMany(context: RouteContext): Promise<Response> {
  const { body, env, operator, receivedMs } = context;
  const asked = parseDiscardRequest(jsonOf(body));
  const { reason } = asked;
  const ids = await openIds(env, asked);
  if (reason === undefined) return jsonAnswer({ dry_run: true, count: ids.length });
  const skips: Record<string, number> = {};
  const skip = (why: string, count: number) => {
    if (count > 0) skips[why] = (skips[why] ?? 0) + count;
  };
  if ("eventIds" in asked.selection) skip("not_open", asked.selection.eventIds.length - ids.length);
  let discarded = 0;
  for (let from = 0; from < ids.length; from += STEP) {
    const step = ids.slice(from, from + STEP);
    // The ledger first: once it says discarded, a delivery under way can no longer make the tombstone wrong.
    const ends = await markManyDiscarded(env, step, reason);
    const ended = step.filter((id) => ends.get(id) === "discarded");
    skip("being_delivered", step.filter((id) => ends.get(id) === "leased").length);
    skip("delivered", step.filter((id) => ends.get(id) === "delivered").length);
    const count = await deadLetters(env).discardMany(ended, reason, operator.name);
    skip("not_open", ended.length - count);
    discarded += count;
  }
  if (discarded > 0) {
    await recordOperatorEvent(context, {
      action: "audit_forwarder.dead_letters_discarded",
      route: "/api/dead-letters/discard",
      target: { id: "archive", type: "archive" },
      metadata: { reason, discarded },
    });
  }
  const skipped = Object.values(skips).reduce((sum, count) => sum + count, 0);
  const at = isoTime(receivedMs);
  const answer: DiscardAnswer = { discarded, skipped, skip_reasons: skips, reason, by: operator.name, at };
  return jsonAnswer(answer);
}

/** Throws `conflict` if the number of matches differs from the count that the operator was shown. */
async function openIds(
  env: RouteContext["env"],
  { selection, reason, count }: DiscardRequest,
): Promise<readonly string[]> {
  const ids = await deadLetters(env).openIds(selection, DISCARD_MAX + 1);
  if (ids.length > DISCARD_MAX) {
    throw invalid(`more than ${DISCARD_MAX} dead letters match; narrow the "filter", for example with "until"`);
  }
  if (reason !== undefined && count !== undefined && count !== ids.length) {
    throw new AuditError(
      "conflict",
      `"count" is ${count}, but ${ids.length} dead letters match now; make a dry run again`,
    );
  }
  return ids;
}
