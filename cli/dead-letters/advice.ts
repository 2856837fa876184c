/** Why a record is a dead letter, and what to do about it. Pure. */
import type { DeadLetterClass } from "../../shared/dead-letter.ts";
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

type Failed = Pick<DeadLetter, "event_id" | "class" | "reason" | "status">;

/** A newer worker may send a class that is not in the table. */
function byClass(letter: Failed, suggest: Suggest): Advice {
  const advise = isKnown(letter.class) ? BY_CLASS[letter.class] : exhausted;
  return advise(letter, [suggest("replayPlan", letter.event_id), SEND], suggest);
}

function isKnown(name: string): name is DeadLetterClass {
  return Object.hasOwn(BY_CLASS, name);
}

/** Advice on each class; a new class needs an entry here. */
const BY_CLASS: Readonly<
  Record<DeadLetterClass, (letter: Failed, replay: readonly string[], suggest: Suggest) => Advice>
> = {
  rejected,
  exhausted,
  credential: (_letter, replay, suggest) => ({
    why: "WorkOS refused the API key. The last attempt came while the key was wrong or delivery was paused for it.",
    next: ["give the worker a valid WORKOS_API_KEY", suggest("resume"), ...replay],
  }),
  unreadable: ({ event_id: id }, replay, suggest) => ({
    why: "The message could not be decoded; its bytes are kept.",
    next: ["deploy a worker that is as new as the policy", suggest("reveal", id), ...replay],
  }),
};

function exhausted({ reason }: Failed, replay: readonly string[], suggest: Suggest): Advice {
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

function rejected({ status, event_id: id }: Failed, replay: readonly string[], suggest: Suggest): Advice {
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
