/** Which deliveries ask the monitor for their turn, and to whom a real one lends tokens. */
import { describe, expect, it } from "vitest";
import type { Verdict } from "../../../shared/outcome.ts";
import { monitor, pauseDelivery, reportVerdicts, takeTurn, TURN_MAX_MS } from "../../../worker/monitor/client.ts";
import type { Monitor } from "../../../worker/monitor/monitor.ts";
import type { Pause, Turn } from "../../../worker/monitor/pause.ts";
import { workerEnv } from "../support/api.workerd.ts";

const START_MS = 1_800_000_000_000;

describe("the client of the monitor", () => {
  const PAUSE: Pause = { reason: "", by: "operator", sinceMs: START_MS, confirmed: true };

  /** An environment whose monitor lends what is wanted, and notes the calls for turns. */
  function monitorDouble() {
    const turns: { count: number; wanted: number }[] = [];
    let answer: () => Promise<Partial<Turn>> = () => Promise.resolve({});
    const stub = {
      turn: async (count: number, _longestMs: number, _agoMs: number | null, _shards: unknown, wanted: number) => {
        turns.push({ count, wanted });
        return { pause: null, waitMs: 0, isWatched: false, lent: wanted, ...(await answer()) };
      },
      ended: (_verdicts: readonly Verdict[]) => Promise.resolve(),
      pause: () => Promise.resolve(PAUSE),
    } satisfies Partial<Record<keyof Monitor, unknown>>;
    const env = { MONITOR: { getByName: () => stub } as unknown as DurableObjectNamespace };
    return { env, turns, answerWith: (next: typeof answer) => void (answer = next) };
  }

  const go = (env: { readonly MONITOR: DurableObjectNamespace }, count = 1) => takeTurn(env, count, [0], START_MS);

  it("asks nothing while it holds tokens", async () => {
    const { env, turns } = monitorDouble();
    for (let message = 0; message < 8; message++)
      expect(await go(env)).toMatchObject({ pause: null, waitMs: 0, isWatched: false });
    expect(turns.map(({ wanted }) => wanted)).toEqual([0, 1, 2, 3]);
  });

  it.each([
    ["a failure", (env: never) => reportVerdicts(env, ["failed"], false, START_MS)],
    ["a pause", (env: never) => pauseDelivery(env, "by hand", "operator")],
  ])("asks at once after %s, also where an earlier call lends it tokens only then", async (_name, happens) => {
    const { env, turns, answerWith } = monitorDouble();
    await go(env, 10);
    await go(env);
    await go(env);
    expect(turns).toHaveLength(2);
    await happens(env as never);
    await go(env, 10);
    expect(turns).toHaveLength(3);
    const late = Promise.withResolvers<Partial<Turn>>();
    answerWith(() => late.promise);
    const asking = go(env);
    await happens(env as never);
    late.resolve({});
    await asking;
    await go(env);
    expect(turns).toHaveLength(5);
  });

  it("goes on after a success", async () => {
    const { env, turns } = monitorDouble();
    await go(env, 10);
    await go(env);
    await reportVerdicts(env, ["delivered"], false, START_MS);
    await go(env);
    expect(turns).toHaveLength(2);
  });

  it("holds nothing of a call that failed, and of a monitor that lends nothing", async () => {
    const { env, turns, answerWith } = monitorDouble();
    await go(env, 10);
    answerWith(() => Promise.reject(new Error("gone")));
    expect(await go(env)).toMatchObject({ isWatched: true });
    answerWith(() => Promise.resolve({ lent: 0 }));
    await go(env);
    await go(env);
    expect(turns).toHaveLength(4);
  });
});

describe("the monitor", () => {
  const lentBy = async (wanted: number) => (await monitor(workerEnv).turn(1, TURN_MAX_MS, null, [], wanted, 0)).lent;

  it("lends tokens while all is well, and none while it watches or delivery is paused", async () => {
    expect(await lentBy(20)).toBe(20);
    await monitor(workerEnv).ended(["failed"], 0);
    expect(await lentBy(20)).toBe(0);
    await monitor(workerEnv).ended(["delivered"], 0);
    expect(await lentBy(20)).toBe(20);
    await monitor(workerEnv).pause("by hand", "operator");
    expect(await lentBy(20)).toBe(0);
  });

  it("lends nothing to an isolate of the previous release, which does not ask for it", async () => {
    const { turn } = monitor(workerEnv) as unknown as { turn: (...old: unknown[]) => Promise<Turn> };
    expect(await turn(1, TURN_MAX_MS, null, [])).toMatchObject({ waitMs: 0, lent: 0 });
  });
});
