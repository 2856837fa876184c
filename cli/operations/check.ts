/** The findings of `coverage --check`. Pure. */
import { COVERAGE_FILE, differences } from "./file.ts";
import type { Covered, Operation } from "./operation.ts";

export interface CoverageFinding {
  /** An operation, such as `POST /members`, or the coverage file. */
  readonly subject: string;
  readonly message: string;
}

/** Methods that change nothing may stay unaudited. */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Lists the findings that fail the check. `file` is the text of the coverage file, undefined if there is none. */
export function checkCoverage(covered: readonly Covered[], file: string | undefined): readonly CoverageFinding[] {
  return [
    ...covered.flatMap(operationFindings),
    ...fileFindings(
      covered.map(({ operation }) => operation),
      file,
    ),
  ];
}

function operationFindings({ operation, file, skipsWithoutReason }: Covered): readonly CoverageFinding[] {
  const subject = `${operation.method} ${operation.path} (${file})`;
  if (operation.state === "unaudited" && !SAFE_METHODS.has(operation.method)) {
    return [
      { subject, message: 'is not audited; add the policy to its chain, or write the reason into "skip" of x-audit' },
    ];
  }
  if (!skipsWithoutReason) return [];
  return [{ subject, message: 'skips records without a reason; write the reason as text into "skip" of x-audit' }];
}

function fileFindings(operations: readonly Operation[], text: string | undefined): readonly CoverageFinding[] {
  if (text === undefined) return finding("is missing");
  const changed = differences(text, operations);
  if (changed === undefined) return finding("cannot be read");
  return changed.length === 0 ? [] : finding(`differs from the project: ${changed.join(", ")}`);
}

function finding(message: string): readonly CoverageFinding[] {
  return [{ subject: COVERAGE_FILE, message }];
}
