/** What a plan is told of many event ids is what a single look at each would say. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { environmentOf, type PlatformEnv } from "../../../worker/env.ts";
import { fatesOf, ledgerPort, lookup, markDiscarded } from "../../../worker/ledger/client.ts";
import type { LedgerAttempt } from "../../../worker/ledger/types.ts";

const bindings = environmentOf(env as unknown as PlatformEnv);
const NOW = Date.UTC(2026, 10, 1);

const ended = (outcome: LedgerAttempt["outcome"], wrote: LedgerAttempt["wrote"]): LedgerAttempt => ({
  atMs: NOW,
  durationMs: 1,
  outcome,
  wrote,
});

/** Every way a record can stand in the ledger; the names are the event ids. */
const ENDS: Readonly<Record<string, LedgerAttempt | undefined>> = {
  delivered: ended("delivered", "yes"),
  rejected: ended("reject", "no"),
  throttled: ended("retry", "no"),
  failed: ended("retry", "maybe"),
  "wrong-key": ended("pause", "no"),
  "lost-lease": undefined,
};

it("agrees with the whole entries, for every state and for a replay's number", async () => {
  const port = ledgerPort(bindings);
  const claims = Object.keys(ENDS).map((id, index) => ({
    id,
    stage: "outcome" as const,
    body: "{}",
    occurredAtMs: NOW,
    ...(index % 2 === 0 ? {} : { replay: { n: index, mended: false, acceptDuplicates: false } }),
  }));
  await port.claim("lease", claims, NOW);
  await port.settle(
    "lease",
    Object.entries(ENDS).flatMap(([id, attempt]) => (attempt ? [{ id, attempt }] : [])),
    NOW,
  );
  await markDiscarded(bindings, "discarded", "test");
  const ids = [...Object.keys(ENDS), "discarded", "never-seen"];
  const [fates, entries] = await Promise.all([fatesOf(bindings, ids), lookup(bindings, ids)]);
  expect([...fates.keys()].toSorted()).toEqual([...entries.keys()].toSorted());
  for (const [id, fate] of fates) expect(entries.get(id)).toMatchObject(fate);
  expect(fates.get("lost-lease")).toMatchObject({ state: "pending", wrote: "maybe" });
  expect(fates.get("delivered")).toMatchObject({ state: "delivered", wrote: "yes" });
  expect(fates.has("never-seen")).toBe(false);
});

it("asks nothing for nothing", async () => {
  expect(await fatesOf(bindings, [])).toEqual(new Map());
});
