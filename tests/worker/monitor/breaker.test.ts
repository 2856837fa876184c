import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Verdict } from "../../../shared/outcome.ts";
import {
  afterAttempt,
  afterDelivered,
  afterFailedProbe,
  afterProbe,
  afterProbeBegan,
  CLOSED,
  probeSource,
  type Breaker,
} from "../../../worker/monitor/breaker.ts";

const START_MS = 1_800_000_000_000;
const S = 1_000;
const MINUTE = 60 * S;

/** Attempts as `[seconds after the start, verdict]`. */
function after(breaker: Breaker, attempts: readonly (readonly [number, Verdict])[]): Breaker {
  return attempts.reduce((state, [atS, verdict]) => afterAttempt(state, verdict, START_MS + atS * S), breaker);
}

const failed = (...seconds: number[]) => seconds.map((at) => [at, "failed"] as const);
const OPEN = after(CLOSED, failed(0, 0, 0, 0, 0));

describe("opening", () => {
  it.each([
    ["5 failures in a row", failed(0, 1, 2, 3, 4), "open"],
    ["4 failures in a row", failed(0, 1, 2, 3), "closed"],
    ["4 failures within 30 s, then a fifth", failed(0, 9, 18, 27, 28), "open"],
    ["2 failures 30 s apart", failed(0, 30), "open"],
    ["2 failures 29 s apart", failed(0, 29), "closed"],
    ["3 failures, none 30 s after the one before", failed(0, 20, 40), "closed"],
    ["the last 2 of 3 failures 30 s apart", failed(0, 1, 31), "open"],
    ["a delivery before the fifth failure", [...failed(0, 1, 2, 3), [4, "delivered"], [5, "failed"]], "closed"],
    ["a rejection before the fifth failure", [...failed(0, 1, 2, 3), [4, "answered"], [5, "failed"]], "closed"],
    [
      "a delivery between 2 failures 60 s apart",
      [
        [0, "failed"],
        [30, "delivered"],
        [60, "failed"],
      ],
      "closed",
    ],
    ["rejections only", Array.from({ length: 50 }, (_, at) => [at * 40, "answered"] as const), "closed"],
  ] as readonly (readonly [string, readonly (readonly [number, Verdict])[], Breaker["phase"]])[])(
    "%s",
    (_, attempts, phase) => {
      expect(after(CLOSED, attempts).phase).toBe(phase);
    },
  );

  it("sets the first probe to 10 s later", () => {
    expect(OPEN.nextProbeMs).toBe(START_MS + 10 * S);
  });

  it("ignores attempts that were under way, however they end", () => {
    expect(after(OPEN, [...failed(1, 2, 3, 4, 5, 60), [61, "delivered"], [62, "answered"]])).toEqual(OPEN);
    expect(afterDelivered(OPEN, 100)).toEqual(OPEN);
  });

  it("happens exactly where the last 5 attempts failed, or the last 2 at least 30 s apart", () => {
    const attempt = fc.tuple(
      fc.integer({ min: 0, max: 40 }),
      fc.constantFrom<Verdict>("failed", "failed", "delivered", "answered"),
    );
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 30 }), (gaps) => {
        let breaker = CLOSED;
        let atS = 0;
        const seen: [number, Verdict][] = [];
        for (const [gapS, verdict] of gaps) {
          atS += gapS;
          seen.push([atS, verdict]);
          breaker = afterAttempt(breaker, verdict, START_MS + atS * S);
          const isFive = seen.length >= 5 && seen.slice(-5).every(([, was]) => was === "failed");
          const [before, last] = seen.slice(-2);
          const isSpaced = before?.[1] === "failed" && last?.[1] === "failed" && last[0] - before[0] >= 30;
          expect(breaker.phase).toBe(isFive || isSpaced ? "open" : "closed");
          if (breaker.phase === "open") return;
        }
      }),
    );
  });
});

describe("probing", () => {
  it("goes on every minute", () => {
    const next = afterProbeBegan(OPEN, START_MS + 12 * S);
    expect(next).toEqual({ ...OPEN, nextProbeMs: START_MS + 72 * S });
  });

  it("changes nothing while it is not open", () => {
    expect(afterProbeBegan(CLOSED, START_MS)).toEqual(CLOSED);
    expect(afterProbe(CLOSED, 1)).toEqual(CLOSED);
  });

  it("resumes with a delivered probe", () => {
    expect(afterProbe(OPEN, 1)).toMatchObject({ phase: "recovering", delivered: 0, nextProbeMs: 0, openings: 1 });
  });

  it("resumes where no event was there to try with", () => {
    expect(afterProbe(OPEN, 0)).toMatchObject({ phase: "recovering", delivered: 0 });
  });
});

describe("the event of a probe", () => {
  /** The numbers of the failed probes after which one took its event from the queue, which makes one more event wait. */
  const fromQueue = (waiting: number, probes: number, isQueueEmpty = false): number[] => {
    let breaker = OPEN;
    const found: number[] = [];
    for (let failed = 0; failed < probes; failed++) {
      const source = probeSource(breaker, waiting + breaker.untriedProbes);
      if (source === "queue") found.push(failed);
      breaker = afterFailedProbe(breaker, isQueueEmpty ? "ledger" : source);
    }
    return found;
  };

  it.each([
    // waiting in the ledger, failed probes before one with an event from the queue
    [0, [0, 2, 8, 24, 48, 96, 192, 384, 768]],
    [1, [1, 4, 12, 24, 48, 96, 192, 384, 768]],
    [2, [2, 6, 12, 24, 48, 96, 192, 384, 768]],
    [40, [3, 6, 12, 24, 48, 96, 192, 384, 768]],
  ])(
    "comes from the queue once each of %i that wait or three have failed, and then ever more rarely: %j",
    (waiting, expected) => {
      expect(fromQueue(waiting, 1_441)).toEqual(expected);
    },
  );

  it("is looked for in the queue each time while nothing waits there", () => {
    expect(fromQueue(1, 5, true)).toEqual([1, 2, 3, 4]);
  });

  it("comes from the ledger again once it has closed and opened", () => {
    const failed = afterFailedProbe(afterFailedProbe(OPEN, "ledger"), "queue");
    const opened = after(
      afterProbe(failed, 1),
      [0, 0, 0, 0, 0].map((at) => [at, "failed"] as const),
    );
    expect(opened).toMatchObject({ phase: "open", failedProbes: 0, untriedProbes: 0 });
    expect(probeSource(opened, 1)).toBe("ledger");
  });

  it("is not counted while it is not open", () => {
    expect(afterFailedProbe(CLOSED, "queue")).toEqual(CLOSED);
  });
});

describe("closing", () => {
  const recovering = afterProbe(OPEN, 1);

  it("takes 8 delivered events after the probe", () => {
    expect(afterDelivered(recovering, 7).phase).toBe("recovering");
    expect(afterDelivered(recovering, 8)).toEqual(CLOSED);
    expect(
      after(
        recovering,
        Array.from({ length: 7 }, (_, at) => [at, "delivered"] as const),
      ).phase,
    ).toBe("recovering");
    expect(
      after(
        recovering,
        Array.from({ length: 8 }, (_, at) => [at, "delivered"] as const),
      ),
    ).toEqual(CLOSED);
  });

  it("counts what went out with the probe", () => {
    expect(afterProbe(OPEN, 8).phase).toBe("recovering");
    expect(afterProbe(OPEN, 9)).toEqual(CLOSED);
  });

  it("does not count rejections", () => {
    expect(
      after(
        recovering,
        Array.from({ length: 20 }, (_, at) => [at, "answered"] as const),
      ).phase,
    ).toBe("recovering");
  });

  it("forgets failures that did not open it again", () => {
    const mixed = after(recovering, [...failed(0, 1, 2, 3), [4, "delivered"], ...failed(5, 6, 7, 8)]);
    expect(mixed).toMatchObject({ phase: "recovering", delivered: 1, failures: 4 });
  });
});

describe("opening again", () => {
  it("waits 1, 2, 4, 8, 10, 10 minutes for the first probe, and 10 s once the incident has ended", () => {
    let breaker = OPEN;
    const waits = [1, 2, 4, 8, 10, 10].map((minutes) => {
      breaker = after(afterProbe(breaker, 1), failed(0, 0, 0, 0, 0));
      expect(breaker.phase).toBe("open");
      expect(breaker.nextProbeMs - START_MS).toBe(minutes * MINUTE);
      return afterProbeBegan(breaker, START_MS).nextProbeMs - START_MS;
    });
    expect(new Set(waits)).toEqual(new Set([MINUTE]));
    const ended = afterDelivered(afterProbe(breaker, 1), 8);
    expect(after(ended, failed(0, 0, 0, 0, 0)).nextProbeMs).toBe(START_MS + 10 * S);
  });

  it("takes as many failures as the first time", () => {
    expect(after(afterProbe(OPEN, 1), failed(0, 1, 2, 3)).phase).toBe("recovering");
    expect(after(afterProbe(OPEN, 1), failed(0, 30)).phase).toBe("open");
  });
});
