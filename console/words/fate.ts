/** Describes the current state of a record in a sentence. Pure. */
import type { EventAnswer } from "../../shared/event-answers.ts";

export function fateWords({ state, where, in_flight: isInFlight, dead_letter: letter }: EventAnswer): string {
  if (state === "delivered") return "WorkOS has accepted the event.";
  if (state === "discarded") return "An operator discarded it. It will not be sent.";
  if (letter?.state === "replaying") return "A replay is sending it.";
  if (state === "dead_letter") return "It is a dead letter: it is no longer retried and waits for an operator.";
  if (isInFlight) return "The worker is sending it to WorkOS right now.";
  if (where === "outbox") return "It waits in the worker's outbox until QStash answers.";
  if (where === "queue") return "It waits in QStash for its next attempt.";
  return "The worker has not seen it. It may still wait in QStash, or it never arrived. Check the id for a missing part.";
}

/** Describes the outcome of an attempt. */
export function attemptWords(outcome: string): string {
  if (outcome === "delivered") return "WorkOS accepted the event";
  if (outcome === "retry") return "Failed, to be retried";
  if (outcome === "reject") return "WorkOS rejected the event";
  if (outcome === "pause") return "WorkOS refused the API key, which pauses delivery";
  if (outcome === "lost") return "The worker was stopped before the attempt ended";
  return outcome;
}
