/** A circuit breaker: stops asking a path that fails, and lets one message through now and then to see whether it works again. */

/** Failures in a row after which the path is blocked. Our choice. */
const FAILURES_TO_BLOCK = 3;
/**
 * How long the path is blocked at first, and at most. Each failed probe doubles it. Well below the default of `holdMs`, so that no
 * record is given up while a path that works again is not asked. Our choice.
 */
const BLOCK_FIRST_MS = 2_000;
const BLOCK_MAX_MS = 10_000;

export interface Circuit {
  /** When the path may be asked again. A time in the past means now. */
  blockedUntilMs(): number;
  /** True if the path may be asked now. In each period of a blocked path, one caller gets true. */
  allows(nowMs: number): boolean;
  /** Notes a result. Returns true if this one blocked the path. */
  note(ok: boolean, nowMs: number): boolean;
}

/** A circuit that blocks nothing yet. */
export function makeCircuit(): Circuit {
  let failures = 0;
  let blockMs = BLOCK_FIRST_MS;
  /** 0 while nothing is blocked. */
  let blockedUntilMs = 0;
  return {
    blockedUntilMs: () => blockedUntilMs,
    allows(nowMs) {
      if (nowMs < blockedUntilMs) return false;
      // The others wait for the result of this probe, but no longer than another period.
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
