/** Why a record is a dead letter, and what to do about it. Pure. */
import type { DeadLetter } from "../api/answers.ts";
import type { Suggest } from "../run/suggestion.ts";

interface Advice {
  readonly why: string;
  /** Steps in order. Each is a sentence or a command that runs as printed. */
  readonly next: readonly string[];
}

/** Returns advice on one dead letter. docs/operations.md says the same in detail. */
export function adviceFor(
  letter: Pick<DeadLetter, "event_id" | "class" | "reason" | "status" | "state" | "wrote">,
  suggest: Suggest,
): Advice {
  if (letter.state === "delivered") return { why: "It was delivered after all.", next: ["nothing to do"] };
  if (letter.state === "discarded") return { why: "An operator discarded it.", next: ["nothing to do"] };
  const advice = byClass(letter, suggest);
  const mayDuplicate = letter.wrote === "maybe" ? ["WorkOS may hold it already: read the plan of the replay"] : [];
  return { why: advice.why, next: [...advice.next, ...mayDuplicate] };
}

function byClass(
  { class: name, reason, status, event_id: id }: Pick<DeadLetter, "class" | "reason" | "status" | "event_id">,
  suggest: Suggest,
): Advice {
  const replay = [suggest("replayPlan", id), SEND];
  if (name === "rejected") return rejected(status, id, replay, suggest);
  if (name === "credential") {
    return {
      why: "WorkOS refused the API key. The last attempt came while the key was wrong or delivery was paused for it.",
      next: ["give the worker a valid WORKOS_API_KEY", suggest("resume"), ...replay],
    };
  }
  if (name === "unreadable") {
    return {
      why: "The message could not be decoded; its bytes are kept.",
      next: ["deploy a worker that is as new as the policy", suggest("reveal", id), ...replay],
    };
  }
  if (reason.startsWith("paused_by_operator")) {
    return {
      why: "An operator had paused delivery when its last attempt came.",
      next: ["if delivery is still paused, resume it", suggest("resume"), ...replay],
    };
  }
  return {
    why: "Every attempt failed: WorkOS or the way to it was down for the whole retry horizon.",
    next: ["check that WorkOS answers", suggest("doctorWithoutEvent"), ...replay],
  };
}

const SEND = "if the plan is right, run the same without --dry-run";

function rejected(status: number | undefined, id: string, replay: readonly string[], suggest: Suggest): Advice {
  if (status === 404) {
    return {
      why: "WorkOS does not know the organization.",
      next: [
        "add --set organization=<id> to name another one, or give the record up with discard",
        ...replay,
        suggest("discard", id, "unknown organization"),
      ],
    };
  }
  if (status === 413) {
    return {
      why: "The event is larger than WorkOS accepts.",
      next: ["add --drop metadata.<key> to leave out a large field", ...replay],
    };
  }
  if (status === undefined) {
    return {
      why: "The record could not become an event.",
      next: ["if it has no organization, add --set organization=<id>", ...replay],
    };
  }
  return {
    why: "WorkOS refused the event: it does not fit the schema registered for its action.",
    next: [
      "compare the project with WorkOS, or add --set action=<name> or --drop metadata.<key>",
      suggest("schemasHelp", "check"),
      ...replay,
    ],
  };
}
