/** A claim that meets a reset of its Durable Object. */
import { expect, it } from "vitest";
import { systemClock } from "../../../worker/clock.ts";
import { ledgerPort } from "../../../worker/ledger/client.ts";

/** A namespace whose objects fail so many times, as during a deploy. */
function namespaceThatFails(times: number) {
  let calls = 0;
  const claim = () => {
    calls += 1;
    return calls <= times ? Promise.reject(new Error("Durable Object reset")) : Promise.resolve(undefined);
  };
  const LEDGER = { getByName: () => ({ claim }) } as unknown as DurableObjectNamespace;
  return { env: { LEDGER, clock: systemClock }, calls: () => calls };
}

const CLAIMS = [{ id: "e1", stage: "outcome", body: "{}", occurredAtMs: 1 }] as const;

it("is made once more inside the request", async () => {
  const { env, calls } = namespaceThatFails(1);
  expect(await ledgerPort(env).claim("L1", CLAIMS, 1)).toMatchObject([{ id: "e1", kind: "send" }]);
  expect(calls()).toBe(2);
});

it("fails where the reset repeats", async () => {
  const { env, calls } = namespaceThatFails(9);
  await expect(ledgerPort(env).claim("L1", CLAIMS, 1)).rejects.toThrow("Durable Object reset");
  expect(calls()).toBe(2);
});
