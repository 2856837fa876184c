/** From the acknowledgement on: nothing is lost, nothing is sent twice, and what arrives is what was recorded. */
import { isOperatorRecord } from "../../../shared/operator-actions.ts";
import type { LedgerFact } from "../history.ts";
import { type Check, DELIVERED, eventIn, type Fate, isUnknown } from "./evidence.ts";

/** What WorkOS refuses about an operator is logged instead: as a dead letter it would cause the next one. */
const isAboutOperator = ({ seen }: Fate) => seen.some(({ record }) => isOperatorRecord(record));

const asideSet: Check = ({ fates }) =>
  fates
    .filter((fate) => fate.letter !== undefined && isAboutOperator(fate))
    .map(({ id }) => `${id} is about an operator and a dead letter`);

const conserved: Check = ({ fates }) =>
  fates
    .filter((fate) => !isAboutOperator(fate))
    .filter(({ events, letter }) => events.length === 0 && letter?.state !== "open" && letter?.state !== "discarded")
    .map(
      ({ id, letter, ledger }) => `${id} is neither an event nor a dead letter (${letter?.state}, ${ledger?.state})`,
    );

/** WorkOS may hold what nobody could find out about; such a dead letter says so. */
const oneEnding: Check = ({ fates }) =>
  fates
    .filter(({ events, letter }) => events.length > 0 && (letter?.state === "open" || letter?.state === "discarded"))
    .filter(({ letter, ledger }) => letter?.wrote !== "maybe" || ledger?.state === DELIVERED)
    .map(({ id, letter }) => `${id} is an event and a dead letter (${letter?.state}, ${letter?.reason})`);

const noDuplicates: Check = ({ fates }) =>
  fates
    .filter((fate) => fate.events.length > 1 + timesAccepted(fate))
    .map(({ id, events }) => `${id} is ${events.length} events: ${events.map(({ key }) => key).join(", ")}`);

/** Replays for which an operator accepted that WorkOS may hold the event. */
function timesAccepted({ seen }: Fate): number {
  const accepted = seen.flatMap(({ record }) => (record.replay?.acceptDuplicates ? record.replay.n : []));
  return new Set(accepted).size;
}

/** Other bytes under a key are lost without a word, so they may follow only what certainly left nothing behind it. */
const frozenBytes: Check = ({ fates }) =>
  fates.flatMap(({ requests }) =>
    [...Map.groupBy(requests, ({ key }) => key)].flatMap(([key, same]) => {
      const binding = same.findIndex(({ status }) => ![401, 403, 429].includes(status));
      const later = binding < 0 ? [] : same.slice(binding);
      return later.some(({ body }) => body !== later[0]?.body) ? [`${key} carried different bytes`] : [];
    }),
  );

/** The outcome of a request wins over what was sent in its stead, unless WorkOS may have had that before. */
const outcomeWins: Check = ({ fates }) =>
  fates.flatMap(({ id, facts, requests }) => {
    const outcome = facts.find((fact) => fact.kind === "claimed" && fact.granted && fact.stage === "outcome");
    if (!outcome || mayBeWrittenBefore(outcome, facts)) return [];
    const late = requests.some(({ atMs, body }) => atMs > outcome.atMs && isUnknown(body));
    return late ? [`${id} was sent without its outcome, which was known`] : [];
  });

/** Whether a delivery of an intent or of a watchdog's record may have sent it, as far as anybody knew at the time. */
function mayBeWrittenBefore(outcome: LedgerFact, facts: readonly LedgerFact[]): boolean {
  const before = facts.filter(({ atMs }) => atMs <= outcome.atMs);
  return before.some((asked) => {
    if (asked.kind !== "asked" || asked.stage === "outcome") return false;
    const same = before.filter((fact) => fact !== asked && fact.lease === asked.lease && fact.kind !== "asked");
    const isRefused = same.some((fact) => fact.kind === "claimed" && !fact.granted);
    return !isRefused && !same.some((fact) => fact.kind === "settled" && fact.wrote === "no");
  });
}

/** Where an event that knows no outcome is in WorkOS, an outcome that was acknowledged is told by a second event, or is a dead letter. */
const lateTold: Check = ({ fates, finish: { deadLetters, world } }) =>
  fates.flatMap((fate) => {
    const { id, events, seen } = fate;
    const told = world.workos.events.filter((event) => event.id === `${id}:outcome`);
    if (told.length > 1 + timesAccepted(fate)) return [`${id} told its outcome ${told.length} times`];
    const isUntold = events.length > 0 && events.every(({ body }) => isUnknown(body));
    if (!isUntold || !seen.some(({ record }) => record.stage === "outcome" && record.status !== undefined)) return [];
    const late = `${id}:outcome`;
    const letters = [deadLetters.get(late), deadLetters.get(id)];
    const isParked = letters.some((letter) => letter?.state === "open" || letter?.state === "discarded");
    return told.length > 0 || isParked ? [] : [`${id} never told its outcome`];
  });

/** Every event says what its record says. */
const trueContent: Check = ({ fates }) =>
  fates.flatMap(({ id, events, seen }) =>
    events.flatMap(({ body }) => {
      const { event, organization_id } = eventIn(body);
      const isSame = seen.some(({ record }) => {
        const action = record.replay?.mended?.includes("action") ? "item.made" : record.action;
        return (
          event.action === action &&
          organization_id === record.organization &&
          event.occurred_at === new Date(record.occurredAtMs).toISOString() &&
          event.metadata["http_status"] === record.status &&
          event.metadata["request_id"] === record.requestId
        );
      });
      return isSame ? [] : [`${id} is stored as ${body}`];
    }),
  );

/** What `/ingest` answered 202 to reaches the queue, or is a dead letter. */
const outboxKeeps: Check = ({ fates }) =>
  fates.flatMap(({ id, seen, letter }) =>
    seen
      .filter(({ by }) => by === "outbox")
      .filter(({ record }) => !seen.some((other) => other.by === "queue" && other.record.stage === record.stage))
      .filter(() => !letter)
      .map(({ record }) => `${id} (${record.stage}) never left the outbox`),
  );

const quiet: Check = ({ finish: { isQuiet, outboxWaiting, openReplays, world } }) =>
  isQuiet
    ? []
    : [
        `still under way: ${world.queue.open.length} messages, ${outboxWaiting} in the outbox, replays: ${openReplays.join()}`,
      ];

export const deliveryChecks = {
  conserved,
  asideSet,
  oneEnding,
  noDuplicates,
  frozenBytes,
  outcomeWins,
  lateTold,
  trueContent,
  outboxKeeps,
  quiet,
} satisfies Readonly<Record<string, Check>>;
