/** A check of `doctor`, and how all of them run. */
import type { Io } from "../run/io.ts";
import { visible, wrapped } from "../run/text.ts";

/** `failed` makes `doctor` exit 1; `warning` does not. `skipped`: the check lacks something it needs. */
type CheckState = "ok" | "warning" | "failed" | "skipped";

export interface CheckResult {
  readonly check: string;
  readonly state: CheckState;
  readonly detail: string;
  /** How to fix it. A command in it runs as printed. */
  readonly fix?: string;
}

export interface Check {
  readonly name: string;
  /** May throw: the error becomes the result. */
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

/** Runs all checks in parallel. Results keep the order of the checks. */
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
const INDENT = NAME_WIDTH + 3;

/** Returns one line per check. On a terminal, long lines are wrapped, but commands are never split. */
export function resultLines(results: readonly CheckResult[], io: Pick<Io, "paint" | "columns">): readonly string[] {
  return results.flatMap(({ check, state, detail, fix }) => {
    const [colour, mark] = MARKS[state];
    const head = `${io.paint(colour, mark)} ${check.padEnd(NAME_WIDTH)} `;
    const text = visible(fix === undefined ? detail : `${detail}; ${fix}`);
    if (io.columns === undefined || INDENT + text.length <= io.columns) return [head + text];
    const [, prose = text, command] = /^(.*?\brun:) (.*)$/.exec(text) ?? [];
    const [first = "", ...rest] = wrapped(prose, io.columns - INDENT);
    return [
      head + first,
      ...rest.map((line) => " ".repeat(INDENT) + line),
      ...(command === undefined ? [] : [command]),
    ];
  });
}
