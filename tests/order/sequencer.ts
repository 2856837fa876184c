/** The order of the test files: those that wait for a gateway are spread among those that compute. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take 15 s or more on two idle cores, the longest first. They begin first, so that none is left alone at the end.
 *
 * Vitest sorts by duration itself, but only after a run in the same clone; in a fresh one, as in CI, it sorts by size.
 */
export const LONGEST = [
  "tests/e2e/drill.test.ts",
  "tests/worker/replays/replay.test.ts",
  "tests/worker/health/silence.test.ts",
  "tests/worker/monitor/pause.test.ts",
  "tests/e2e/demo.test.ts",
  "tests/cli/dead-letters/replay.test.ts",
  "tests/cli/deploy/deploy.test.ts",
  "tests/worker/monitor/incidents.test.ts",
  "tests/bootstrap/clone.test.ts",
  "tests/release/package.test.ts",
  "tests/cli/init/check.test.ts",
  "tests/cli/doctor/doctor.test.ts",
  "tests/console/views.test.ts",
  "tests/bootstrap/registry.test.ts",
  "tests/docs/commands.test.ts",
  "tests/simulation/simulation.test.ts",
  "tests/worker/monitor/outage.test.ts",
  "tests/simulation/oracle.test.ts",
];

/** The longest files first, then Vitest's own order (failed and long files first): within the gateway's files and within the others. */
export class SpreadingSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest names it so
    const sorted = longestFirst(await super.sort(files), ({ moduleId }) => moduleId);
    const isGateway = ({ project }: TestSpecification): boolean => project.name === "gateway";
    return spread(
      sorted.filter(isGateway),
      sorted.filter((file) => !isGateway(file)),
    );
  }
}

/** Merges two lists so that the items of the first are evenly spaced and the list begins with one of them. */
export function spread<T>(few: readonly T[], many: readonly T[]): T[] {
  const step = many.length / few.length;
  return few.length === 0
    ? [...many]
    : few.flatMap((item, index) => [item, ...many.slice(Math.floor(index * step), Math.floor((index + 1) * step))]);
}

/** Brings the files of `LONGEST` to the front; the others keep their order. */
export function longestFirst<T>(files: readonly T[], pathOf: (file: T) => string): T[] {
  const rank = (file: T): number => {
    const found = LONGEST.findIndex((path) => pathOf(file).endsWith(`/${path}`));
    return found < 0 ? LONGEST.length : found;
  };
  return files.toSorted((one, other) => rank(one) - rank(other));
}
