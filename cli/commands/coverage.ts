/** `coverage <zuplo-project>`: lists which operations leave events, which do not, and why. */
import { join, relative, resolve } from "node:path";
import { checkCoverage, type CoverageFinding } from "../operations/check.ts";
import { COVERAGE_FILE, readCoverage, writeCoverage } from "../operations/file.ts";
import {
  type Covered,
  type CoverageState,
  coverOperations,
  type Operation,
  perMethod,
} from "../operations/operation.ts";
import { placeEntry } from "../init/entry.ts";
import { readPolicies } from "../init/policies.ts";
import { readProject } from "../init/project.ts";
import { readRoutes } from "../init/routes.ts";
import { inspectRoutes } from "../policy/inspection.ts";
import { command, type Report } from "../run/command.ts";
import type { Io } from "../run/io.ts";
import { count, tableLines, visible } from "../run/text.ts";

export const coverage = command({
  usage: "coverage <zuplo-project>",
  about: "List the events of each operation, and why some operations leave none",
  examples: [
    ["coverage ./my-api", "every operation, with its actions or its reason"],
    ["coverage ./my-api --update", `write ${COVERAGE_FILE}, then commit it`],
    ["coverage ./my-api --check", "fail if a write is unaudited without a reason; for CI"],
  ],
  options: (yargs) =>
    yargs
      .positional("zuplo-project", { type: "string", demandOption: true, describe: "The project's directory" })
      .option("check", {
        type: "boolean",
        describe: `Exit 1 if a write is unaudited, a skip has no reason, or ${COVERAGE_FILE} differs`,
      })
      .option("update", { type: "boolean", describe: `Write ${COVERAGE_FILE} into the project` })
      .conflicts("check", "update"),
  run: async ({ zuploProject, check, update }, io) => {
    const directory = resolve(zuploProject);
    const covered = await coverProject(directory);
    const operations = covered.map(({ operation }) => operation);
    if (update) await writeCoverage(directory, operations);
    const findings = check ? checkCoverage(covered, await readCoverage(directory)) : [];
    return report(operations, findings, { check, update }, directory, io);
  },
});

async function coverProject(directory: string): Promise<readonly Covered[]> {
  const project = await readProject(directory);
  const policies = readPolicies(project);
  const routes = perMethod(project.openApi.flatMap((file) => readRoutes(file, policies)));
  const { options = {} } = placeEntry(project.policies, project.module);
  const { routes: inspected } = await inspectRoutes(options, routes, project.env);
  return coverOperations(routes, inspected);
}

function report(
  operations: readonly Operation[],
  findings: readonly CoverageFinding[],
  { check, update }: { readonly check?: boolean | undefined; readonly update?: boolean | undefined },
  directory: string,
  io: Io,
): Report {
  const number = (state: CoverageState) => operations.filter((operation) => operation.state === state).length;
  const totals = { audited: number("audited"), exempt: number("exempt"), unaudited: number("unaudited") };
  const ok = findings.length === 0;
  const summary = `${count(operations.length, "operation")}: ${totals.audited} audited, ${totals.exempt} exempt, ${totals.unaudited} unaudited`;
  const outdated = findings.some(({ subject }) => subject === COVERAGE_FILE);
  return {
    json: { operations, ...totals, ...(check ? { ok, findings } : {}) },
    lines: [
      ...tableLines(io, ["method", "path", "state", "actions or reason"], operations.flatMap(rowsOf)),
      ...findings.map(({ subject, message }) => `${io.paint("red", "wrong")} ${visible(`${subject} ${message}`)}`),
      ...(outdated ? [`to write the file, run: ${io.suggest("coverageUpdate", directory)}`] : []),
      ...(update ? [`wrote ${relative(process.cwd(), join(directory, COVERAGE_FILE))}`] : []),
      summary,
    ],
    ok,
  };
}

function rowsOf({ method, path, state, actions, reason, tools = [] }: Operation): readonly (readonly string[])[] {
  return [
    [method, path, state, reason ?? actions.join(", ")],
    ...tools.map((tool) => ["", `  tool ${tool.operation_id}`, tool.state, ""]),
  ];
}
