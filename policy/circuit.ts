/** A circuit: stops asking a path that is dead, and lets one message through now and then to see whether it lives again. */

/** Failures in a row after which the path is left alone. Our choice. */
const FAILURES_TO_OPEN = 3;
/**
 * How long it is left alone at first, and at most; each failed trial doubles it. Well below the default of `holdMs`, so that no
 * record is given up while a path that lives again is not asked. Our choice.
 */
const OPEN_FIRST_MS = 2_000;
const OPEN_MAX_MS = 10_000;

export interface Circuit {
  /** When the path may be asked; a time that has passed means now. */
  opensAtMs(): number;
  /** True where the path may be asked now; while open, one caller per period gets a true. */
  allows(nowMs: number): boolean;
  /** Notes a result; true when this one opened the circuit. */
  note(ok: boolean, nowMs: number): boolean;
}

/** A circuit that is closed: everything passes. */
export function makeCircuit(): Circuit {
  let failures = 0;
  let openMs = OPEN_FIRST_MS;
  /** 0 while everything passes. */
  let closedAgainAtMs = 0;
  return {
    opensAtMs: () => closedAgainAtMs,
    allows(nowMs) {
      if (nowMs < closedAgainAtMs) return false;
      // The others wait for the result of this trial, but no longer than another period.
      closedAgainAtMs &&= nowMs + openMs;
      return true;
    },
    note(ok, nowMs) {
      failures = ok ? 0 : failures + 1;
      openMs = failures > FAILURES_TO_OPEN ? Math.min(openMs * 2, OPEN_MAX_MS) : OPEN_FIRST_MS;
      closedAgainAtMs = failures < FAILURES_TO_OPEN ? 0 : nowMs + openMs;
      return failures === FAILURES_TO_OPEN;
    },
  };
}
