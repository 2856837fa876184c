/** What a check of `doctor` is, and how all of them are run. */
import type { Io } from "../run/io.ts";
import { visible } from "../run/text.ts";

/** `failed` makes `doctor` exit 1; `warning` does not. `skipped`: something that the check needs was not given. */
export type CheckState = "ok" | "warning" | "failed" | "skipped";

export interface CheckResult {
  readonly check: string;
  readonly state: CheckState;
  readonly detail: string;
  /** What to do, where something is wrong or missing. */
  readonly fix?: string;
}

export interface Check {
  readonly name: string;
  /** Throws where it cannot be made: the error is then the result. */
  readonly run: () => Promise<Omit<CheckResult, "check">>;
}

export function ok(detail: string): Omit<CheckResult, "check"> {
  return { state: "ok", detail };
}

export function failed(detail: string, fix: string): Omit<CheckResult, "check"> {
  return { state: "failed", detail, fix };
}

export function warning(detail: string, fix: string): Omit<CheckResult, "check"> {
  return { state: "warning", detail, fix };
}

export function skipped(detail: string, fix: string): Omit<CheckResult, "check"> {
  return { state: "skipped", detail, fix };
}

/** Runs all checks at once; the results are in the order given. */
export function runChecks(checks: readonly Check[]): Promise<readonly CheckResult[]> {
  return Promise.all(
    checks.map(async ({ name, run }): Promise<CheckResult> => {
      try {
        return { check: name, ...(await run()) };
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        return { check: name, state: "failed", detail };
      }
    }),
  );
}

const MARKS = { ok: ["green", "✓"], warning: ["yellow", "!"], failed: ["red", "✗"], skipped: ["gray", "-"] } as const;
const NAME_WIDTH = 18;

/** One line for each check. */
export function resultLines(results: readonly CheckResult[], paint: Io["paint"]): readonly string[] {
  return results.map(({ check, state, detail, fix }) => {
    const [colour, mark] = MARKS[state];
    const next = fix === undefined ? "" : `; ${fix}`;
    return `${paint(colour, mark)} ${check.padEnd(NAME_WIDTH)} ${visible(detail + next)}`;
  });
}
