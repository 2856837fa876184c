/** Why a record is a dead letter, in words, and what to do about it. Pure. */
import type { DeadLetter } from "../api/answers.ts";

export interface Advice {
  readonly why: string;
  readonly next: readonly string[];
}

/** The words for one dead letter; docs/operations.md says the same at length. */
export function adviceFor(
  letter: Pick<DeadLetter, "event_id" | "class" | "reason" | "status" | "state" | "wrote">,
): Advice {
  if (letter.state === "delivered") return { why: "It was delivered after all.", next: ["nothing to do"] };
  if (letter.state === "discarded") return { why: "An operator discarded it.", next: ["nothing to do"] };
  const replay = `audit-forwarder dead-letters replay ${letter.event_id}`;
  const advice = byClass(letter, replay);
  const mayDuplicate = letter.wrote === "maybe" ? ["WorkOS may hold it already: read the plan of the replay"] : [];
  return { why: advice.why, next: [...advice.next, ...mayDuplicate] };
}

function byClass(
  { class: name, reason, status, event_id: id }: Pick<DeadLetter, "class" | "reason" | "status" | "event_id">,
  replay: string,
): Advice {
  if (name === "rejected") return rejected(status, id, replay);
  if (name === "credential") {
    return {
      why: "WorkOS refused the API key, and the attempts ended while it was wrong or had paused delivery.",
      next: ["give the worker a valid WORKOS_API_KEY", "audit-forwarder resume", replay],
    };
  }
  if (name === "unreadable") {
    return {
      why: "The message could not be decoded; its bytes are kept.",
      next: ["deploy a worker that is as new as the policy", `audit-forwarder dead-letters show ${id} --reveal`],
    };
  }
  if (reason.startsWith("paused_by_operator")) {
    return {
      why: "An operator had paused delivery when its last attempt came.",
      next: ["audit-forwarder resume (where it is still paused)", replay],
    };
  }
  return {
    why: "Every attempt failed: WorkOS or the way to it was down for the whole retry horizon.",
    next: ["check that WorkOS answers (audit-forwarder doctor)", replay],
  };
}

function rejected(status: number | undefined, id: string, replay: string): Advice {
  if (status === 404) {
    return {
      why: "WorkOS does not know the organization.",
      next: [`${replay} --set organization=org_…`, `or: audit-forwarder dead-letters discard ${id} --reason …`],
    };
  }
  if (status === 413) {
    return {
      why: "The event is larger than WorkOS takes.",
      next: [`${replay} --drop metadata.<key>`],
    };
  }
  if (status === undefined) {
    return {
      why: "The record could not become an event.",
      next: [`${replay} --set organization=org_… (where it has none)`],
    };
  }
  return {
    why: "WorkOS refused the event: it does not fit the schema registered for its action.",
    next: [
      "audit-forwarder schemas check <zuplo-project>",
      `${replay}, or with --set action=… or --drop metadata.<key>`,
    ],
  };
}
