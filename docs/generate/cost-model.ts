/** What a million events cost at list prices, without any allowance. Pure; `docs/cost.md` shows the arithmetic. */

/** Measured in workerd by `tests/worker/ledger/cost.workerd.test.ts`. */
export const LEDGER_PER_EVENT = { rowsWritten: 2, rowsRead: 1, storedBytes: 170 };
