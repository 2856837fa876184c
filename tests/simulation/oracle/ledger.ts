/** What the worker believes is so. */
import { type Check, DELIVERED } from "./evidence.ts";

/** Once an event id is known to be delivered, nobody is allowed to send it again, a replay least of all. */
const sendsOnlyUndelivered: Check = ({ fates }) =>
  fates.flatMap(({ id, facts }) => {
    const delivered = facts.findIndex((fact) => fact.kind === "settled" && fact.outcome === "delivered");
    if (delivered < 0) return [];
    const again = facts.slice(delivered).find((fact) => fact.kind === "claimed" && fact.granted);
    return again?.kind === "claimed" ? [`${id} was sent again${again.isReplay ? " by a replay" : ""}`] : [];
  });

const believesTruth: Check = ({ fates }) =>
  fates
    .filter(({ ledger, letter }) => ledger?.state === DELIVERED || letter?.state === "delivered")
    .filter(({ events }) => events.length === 0)
    .map(({ id }) => `${id} counts as delivered, but WorkOS has no event`);

/** A receipt's `delivered` and `failed_again` are what became of the records. */
const trueReceipts: Check = ({ finish: { world } }) => {
  const delivered = new Set(world.workos.events.map(({ id }) => id));
  const items = world.worker.objects("archive").flatMap(({ database }) => {
    return database.prepare("SELECT event_id, outcome FROM items WHERE outcome = 'delivered'").all();
  });
  return items
    .filter((item) => !delivered.has(String(item["event_id"])))
    .map((item) => `${String(item["event_id"])} is delivered, as a receipt says, but WorkOS has no event`);
};

export const ledgerChecks = { sendsOnlyUndelivered, believesTruth, trueReceipts } satisfies Readonly<
  Record<string, Check>
>;
