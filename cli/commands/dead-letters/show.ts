/** `dead-letters show <event-id>`: shows one dead letter, why it failed and what to do. */
import { WholeDeadLetter } from "../../api/answers.ts";
import { type Api, openApi } from "../../api/client.ts";
import { adviceFor } from "../../dead-letters/advice.ts";
import { command } from "../../run/command.ts";
import type { Io } from "../../run/io.ts";
import { pairLines, tableLines, visible } from "../../run/text.ts";
import { EventFate, attemptLines } from "../../api/events.ts";
import { AuditError } from "../../../shared/errors.ts";

export const show = command({
  usage: "show <event-id>",
  about: "Show one dead letter: the record, why it failed, each attempt, what to do",
  examples: [["dead-letters show 019ab0c4-…", "includes the commands to run next"]],
  options: (yargs) =>
    yargs
      .positional("event-id", { type: "string", demandOption: true })
      .option("reveal", { type: "boolean", describe: "Also show the values that routes selected from requests" }),
  run: async (args, io) => {
    const api = openApi(io);
    const path = `/api/dead-letters/${encodeURIComponent(args.eventId)}`;
    const letter = await api.get(WholeDeadLetter, path, args.reveal ? { reveal: true } : {});
    const fate = await fateOf(api, letter.event_id);
    const advice = adviceFor(letter, io.suggest);
    return {
      json: { ...letter, attempts_made: fate?.attempts ?? [], why: advice.why, next: advice.next },
      lines: [
        ...letterLines(io, letter),
        ...(fate ? ["", ...attemptLines(io, fate)] : []),
        "",
        advice.why,
        ...advice.next.map((step) => `  ${step}`),
      ],
    };
  },
});

/** The ledger may have forgotten an old event, or may never have seen it. */
async function fateOf(api: Api, eventId: string): Promise<EventFate | undefined> {
  try {
    return await api.get(EventFate, `/api/events/${encodeURIComponent(eventId)}`);
  } catch (error) {
    if (error instanceof AuditError && error.code === "not_found") return undefined;
    throw error;
  }
}

function letterLines(io: Io, letter: WholeDeadLetter): readonly string[] {
  const record = letter.record ? JSON.stringify(letter.record, null, 2).split("\n").map(visible) : [];
  const history = letter.history.map((past) => [past.parked_at, past.class, past.reason]);
  return [
    ...pairLines([
      ["event id", letter.event_id],
      ["state", letter.state],
      ["class", letter.class],
      ["reason", letter.reason],
      ["status", letter.status],
      ["attempts", letter.attempts],
      ["accepted", letter.wrote],
      ["action", letter.action],
      ["organization", letter.organization],
      ["request", letter.method && `${letter.method} ${letter.route ?? ""}`],
      ["occurred at", letter.occurred_at],
      ["first attempt", letter.first_attempt_at],
      ["last attempt", letter.last_attempt_at],
      ["parked at", letter.parked_at],
      ["safe to replay until", letter.safe_until],
      ["last replay", letter.replay_id],
      ["discarded", letter.discarded?.reason],
      ["mended", letter.mended?.join(", ")],
      ["bytes kept", letter.body_bytes],
      ["body (base64)", letter.body],
      ["hidden", letter.hidden.length > 0 ? `${letter.hidden.join(", ")} (shown with --reveal)` : undefined],
    ]),
    ...(record.length > 0 ? ["", "record", ...record] : []),
    ...(history.length > 0
      ? ["", "earlier failures", ...tableLines(io, ["parked at", "class", "reason"], history)]
      : []),
  ];
}
