/** Dead letters whose records were delivered after all, in the real Durable Objects. */
import { beforeEach, expect, it } from "vitest";
import { runInDurableObject } from "cloudflare:test";
import { ledgerPort } from "../../../worker/ledger/client.ts";
import type { LedgerAttempt } from "../../../worker/ledger/types.ts";
import { get, deadLetterObject, workerEnv } from "../support/api.workerd.ts";
import { eventId, letter, CAPTURED_MS } from "../support/letters.ts";

beforeEach(() =>
  runInDurableObject(deadLetterObject(), (_, { storage }) => {
    for (const table of ["dead_letters", "links", "removals", "notes"]) storage.sql.exec(`DELETE FROM ${table}`);
  }),
);

/** What another message of the same event id did. */
async function ledgerSays(number: number, attempt: Pick<LedgerAttempt, "outcome" | "wrote">): Promise<void> {
  const id = eventId(number);
  const ledger = ledgerPort(workerEnv);
  await ledger.claim("L1", [{ id, stage: "outcome", body: "{}", occurredAtMs: CAPTURED_MS }], Date.now());
  await ledger.settle("L1", [{ id, attempt: { atMs: CAPTURED_MS, durationMs: 1, ...attempt } }], Date.now());
}

const stateOf = async (number: number) => (await get(`/api/dead-letters/${eventId(number)}`)).json.state;

it("closes what the ledger knows to be delivered, and nothing else", async () => {
  await deadLetterObject().park([letter(1), letter(2), letter(3)]);
  await ledgerSays(1, { outcome: "delivered", wrote: "yes" });
  await ledgerSays(2, { outcome: "retry", wrote: "maybe" });
  expect(await deadLetterObject().reconcile()).toBe(1);
  expect(await Promise.all([1, 2, 3].map(stateOf))).toEqual(["delivered", "open", "open"]);
  expect(await deadLetterObject().reconcile()).toBe(0);
});

it("takes the entry out of QStash's own dead-letter queue too", async () => {
  await deadLetterObject().park([letter(4, { dlqId: "4-0" })]);
  await ledgerSays(4, { outcome: "delivered", wrote: "yes" });
  await deadLetterObject().reconcile();
  const removals = await runInDurableObject(deadLetterObject(), (_, { storage }) =>
    storage.sql.exec("SELECT dlq_id FROM removals").toArray(),
  );
  expect(removals).toEqual([{ dlq_id: "4-0" }]);
});

it("goes round, so that one delivered later is found as well", async () => {
  await deadLetterObject().park(Array.from({ length: 2_003 }, (_, index) => letter(10 + index)));
  await ledgerSays(2_012, { outcome: "delivered", wrote: "yes" });
  expect([await deadLetterObject().reconcile(), await deadLetterObject().reconcile()]).toEqual([0, 1]);
  await ledgerSays(10, { outcome: "delivered", wrote: "yes" });
  expect(await deadLetterObject().reconcile()).toBe(1);
});

it("sets an alarm that the platform has given up", async () => {
  const alarm = await runInDurableObject(deadLetterObject(), async (deadLetters, { storage }) => {
    await storage.deleteAlarm();
    await deadLetters.reconcile();
    return storage.getAlarm();
  });
  expect(alarm).not.toBeNull();
});
