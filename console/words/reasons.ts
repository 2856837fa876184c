/** Why an attempt or a record failed, in words. Pure. */
import type { DeadLetterClass } from "../../shared/dead-letter.ts";

const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /^http_400/,
    "WorkOS answered 400: the event does not fit the schema that is registered for its action, or the action is not registered.",
  ],
  [/^http_401|^http_403/, "WorkOS refused the API key."],
  [/^http_404/, "WorkOS answered 404: the organization does not exist in this WorkOS environment."],
  [/^http_409/, "WorkOS answered 409: another request with the same key was still under way."],
  [/^http_413/, "WorkOS answered 413: the event is too large."],
  [/^http_422/, "WorkOS answered 422: a field of the event is missing or malformed."],
  [/^http_429/, "WorkOS answered 429: too many requests."],
  [/^http_5/, "WorkOS failed."],
  [/^http_/, "WorkOS answered with an unexpected status."],
  [/^timeout/, "WorkOS did not answer in time."],
  [/^network/, "The worker could not reach WorkOS."],
  [/^organization_missing/, "Neither the route, the policy nor the directory names an organization."],
  [/^paused_by_operator/, "An operator had paused delivery when the last attempt came."],
  [/^paused_by_credential/, "A wrong API key had paused delivery when the last attempt came."],
  [/^paused_by_breaker/, "Delivery was paused because WorkOS was down."],
  [
    /^idempotency_window_over/,
    "WorkOS may have stored the event, and has forgotten its key since. Sending it again by itself could duplicate it.",
  ],
  [/^unreadable_success|^success_false/, "Something other than WorkOS answered, such as a proxy."],
  [/^unreadable/, "The message could not be decoded."],
  [/^archive_unreachable|^ledger_unreachable/, "The worker's storage did not answer."],
  [/^destination_down/, "WorkOS was down."],
];

/** Describes a reason in a sentence; undefined if there is no description for it. */
export function reasonWords(reason: string): string | undefined {
  return REASONS.find(([pattern]) => pattern.test(reason))?.[1];
}

/** The first part of that sentence, for lists. */
export function shortReason(reason: string): string | undefined {
  return reasonWords(reason)?.split(/[:.]/, 1)[0];
}

interface Failed {
  readonly class: string;
  readonly state: string;
  readonly status?: number | undefined;
  readonly reason: string;
  readonly wrote: string;
}

/** What to do about a dead letter, step by step, with the same words as docs/operations.md. */
export function adviceFor({ class: name, state, status, reason, wrote }: Failed): readonly string[] {
  if (state === "delivered") return ["Nothing: it was delivered after all."];
  if (state === "discarded") return ["Nothing: an operator discarded it."];
  if (state === "replaying") return ["Wait: a replay is sending it."];
  const caution =
    wrote === "maybe" ? ["WorkOS may hold the event already. Read the plan of the replay before you send it."] : [];
  return [...stepsFor(name, status, reason), ...caution];
}

/** A newer worker may send a class that is not in the table. */
function stepsFor(name: string, status: number | undefined, reason: string): readonly string[] {
  return (isKnown(name) ? STEPS[name] : exhaustedSteps)(status, reason);
}

function isKnown(name: string): name is DeadLetterClass {
  return Object.hasOwn(STEPS, name);
}

/** The steps for each class; a new class needs an entry here. */
const STEPS: Readonly<Record<DeadLetterClass, (status: number | undefined, reason: string) => readonly string[]>> = {
  rejected: rejectedSteps,
  exhausted: exhaustedSteps,
  credential: () => [
    "Give the worker a valid WORKOS_API_KEY.",
    "Resume delivery on the overview.",
    "Plan a replay and send it.",
  ],
  unreadable: () => [
    "If a newer worker can read the message, deploy it. The worker then reads the message again by itself.",
    "If your policy did not send it, find out who has QSTASH_TOKEN, change it, and discard this.",
  ],
};

function exhaustedSteps(_status: number | undefined, reason: string): readonly string[] {
  if (reason.startsWith("paused_by_operator"))
    return ["If delivery is still paused, resume it on the overview.", "Plan a replay and send it."];
  return ["Check that WorkOS answers.", "Plan a replay and send it."];
}

function rejectedSteps(status: number | undefined, reason: string): readonly string[] {
  if (status === 404 || reason.startsWith("organization_missing"))
    return [
      "Plan a replay that sets another organization, or discard it.",
      "Fix the organization of the route (x-audit.organization), so that it does not happen again.",
    ];
  if (status === 413)
    return ["Plan a replay that leaves out a large metadata field.", "Select fewer fields on that route."];
  return [
    "Compare the project's schemas with WorkOS: audit-forwarder schemas check. Register what is missing: audit-forwarder schemas push.",
    "Plan a replay. If the event itself is wrong, set another action or leave a metadata field out.",
  ];
}

/** Why a replay skips a dead letter. */
const SKIPPED: Readonly<Record<string, string>> = {
  delivered: "delivered already",
  in_replay: "in another replay",
  discarded: "discarded",
  not_found: "no such dead letter",
  unreadable: "cannot be decoded",
  needs_accept_duplicates: "WorkOS may hold it, and its 24 h window is over",
  mend_needs_accept_duplicates: "changed, and WorkOS may hold its first form",
  cancelled: "cancelled",
  not_accepted: "QStash refused it",
  changed_since_plan: "changed since the plan",
};

export function skipWords(reason: string): string {
  return SKIPPED[reason] ?? reason.replaceAll("_", " ");
}
