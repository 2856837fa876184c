/** A circuit breaker: blocks a path that fails, and lets one message through now and then to check whether it works again. */

/** Consecutive failures after which the path is blocked. Our choice. */
const FAILURES_TO_BLOCK = 3;
/**
 * First and longest time for which the path is blocked. Each failed probe doubles it. Well below the default of `holdMs`, so that
 * no record is given up while a recovered path is still blocked. Our choice.
 */
const BLOCK_FIRST_MS = 2_000;
const BLOCK_MAX_MS = 10_000;

export interface Circuit {
  /** When the path may be used again. A time in the past means now. */
  blockedUntilMs(): number;
  /** True if the path may be used now. While it is blocked, one caller per period gets true. */
  allows(nowMs: number): boolean;
  /** Notes a result. Returns true if this one blocked the path. */
  note(ok: boolean, nowMs: number): boolean;
}

/** Returns a circuit that blocks nothing yet. */
export function makeCircuit(): Circuit {
  let failures = 0;
  let blockMs = BLOCK_FIRST_MS;
  /** 0 while the path is not blocked. */
  let blockedUntilMs = 0;
  return {
    blockedUntilMs: () => blockedUntilMs,
    allows(nowMs) {
      if (nowMs < blockedUntilMs) return false;
      // Other callers wait for the result of this probe, but no longer than another period.
      blockedUntilMs &&= nowMs + blockMs;
      return true;
    },
    note(ok, nowMs) {
      failures = ok ? 0 : failures + 1;
      blockMs = failures > FAILURES_TO_BLOCK ? Math.min(blockMs * 2, BLOCK_MAX_MS) : BLOCK_FIRST_MS;
      blockedUntilMs = failures < FAILURES_TO_BLOCK ? 0 : nowMs + blockMs;
      return failures === FAILURES_TO_BLOCK;
    },
  };
}
