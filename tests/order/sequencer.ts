/** The order of the test files: those that wait for a gateway are spread among those that compute. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Vitest's own order (failed and long files first) within the gateway's files and within the others. */
export class SpreadingSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest names it so
    const sorted = await super.sort(files);
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
