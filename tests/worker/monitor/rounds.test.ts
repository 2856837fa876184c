import { expect, it } from "vitest";
import { RoundLog } from "../../../worker/monitor/rounds.ts";

const HOUR_MS = 3_600_000;

/** A store that counts what is written. */
function storeOf(known?: object) {
  const store = { value: known, writes: 0 };
  return {
    store,
    log: new RoundLog(
      { get: () => store.value, put: (_, value) => void ((store.value = value), (store.writes += 1)) },
      1_000,
    ),
  };
}

it("remembers which policies have sent records: to the hour, and for a day", () => {
  const { store, log } = storeOf();
  const start = store.writes;
  log.seen(["0.1.0"], 0 + HOUR_MS);
  log.seen(["0.1.0"], 2 * HOUR_MS - 1);
  expect([log.rounds.policies, store.writes - start]).toEqual([{ "0.1.0": HOUR_MS }, 1]);
  log.seen(["0.1.0", "0.2.0"], 2 * HOUR_MS);
  expect(log.rounds.policies).toEqual({ "0.1.0": 2 * HOUR_MS, "0.2.0": 2 * HOUR_MS });
  log.seen(["0.2.0"], 26 * HOUR_MS);
  expect(log.rounds.policies).toEqual({ "0.2.0": 26 * HOUR_MS });
  const before = store.writes;
  log.seen([], 100 * HOUR_MS);
  expect(store.writes).toBe(before);
});

it("takes over what an earlier release has stored, which knew no policies", () => {
  const known = { sinceMs: 5, lastMs: 6, lastSweepMs: 7, failedSweeps: 1, foreign: [], waitingMessages: 2 };
  expect(storeOf(known).log.rounds).toEqual({ ...known, policies: {} });
});
