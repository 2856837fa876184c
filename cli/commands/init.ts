/** `init [zuplo-project]`: adds the audit policy to a Zuplo project and makes the folder of the worker, or checks both. */
import { basename, join, resolve } from "node:path";
import { JURISDICTIONS } from "../deploy/region.ts";
import { findDrift } from "../init/check.ts";
import { diffLines } from "../init/diff.ts";
import { isError } from "../init/finding.ts";
import { refuseForeign } from "../init/module.ts";
import { type InitPlan, planInit } from "../init/plan.ts";
import { readProject, type ZuploProject } from "../init/project.ts";
import { ROUTE_CHOICES } from "../init/routes.ts";
import { planWorkerSide, type WorkerSide } from "../init/worker-side.ts";
import { writeAll } from "../init/atomic-write.ts";
import { builtModule } from "../policy/evaluation.ts";
import { inspectRoutes } from "../policy/inspection.ts";
import { command, type Report } from "../run/command.ts";
import { confirm } from "../run/confirmation.ts";
import { WrongUse } from "../run/failure.ts";
import { IS_PACKAGE } from "../run/installation.ts";
import type { Io } from "../run/io.ts";
import { count, visible } from "../run/text.ts";

export const init = command({
  usage: "init [zuplo-project]",
  about: "Add the audit policy to a Zuplo project, or upgrade it, and make the worker's folder",
  examples: [
    ["init ./my-api", "audit every route"],
    ["init ./my-api --routes writes", "audit POST, PUT, PATCH and DELETE"],
    ["init ./my-api --check", "report drift; for CI"],
  ],
  options: (yargs) =>
    yargs
      .positional("zuplo-project", {
        type: "string",
        describe: "The project's directory; in the package, leave it out to make only the worker's folder audit/",
      })
      .option("routes", {
        choices: ROUTE_CHOICES,
        describe: "Routes that get the policy; default: all on the first run, later unchanged",
      })
      .option("jurisdiction", {
        choices: JURISDICTIONS,
        describe: "Where the worker keeps its data; choose before the first deploy",
      })
      .option("agents", {
        type: "boolean",
        describe: "Tell coding agents in AGENTS.md how to work with it; kept up to date from then on",
      })
      .option("check", { type: "boolean", describe: "Only report drift; exit 1 if there is any" })
      .option("dry-run", { type: "boolean", describe: "Show the changes and stop" })
      .option("yes", { alias: "y", type: "boolean", describe: "Do not ask for confirmation" })
      .option("force", {
        type: "boolean",
        describe: 'Replace a "modules/audit-log.ts" that "init" did not write; a copy is kept',
      })
      .conflicts("check", ["dry-run", "yes", "force", "jurisdiction", "agents"]),

  run: async (args, io) => {
    if (args.agents && !IS_PACKAGE) throw new WrongUse('"--agents" needs the package; install it into your repository');
    const planned = await planWorkerSide(process.cwd(), args);
    const worker = { ...planned, prefix: basename(planned.folder) };
    if (args.zuploProject === undefined) {
      if (!IS_PACKAGE) throw new WrongUse('"zuplo-project" is missing; name the project\'s directory');
      return args.check ? workerReport(worker, io) : apply([worker], args, io, workerSteps(worker, io));
    }
    const project = await readProject(resolve(args.zuploProject));
    const plan = planInit(project, await builtModule(project.module.text), args.routes);
    if (args.check) return checkReport(project, plan, io);
    if (!args.force) refuseForeign(plan.module);
    const gateway = { folder: project.directory, prefix: "", changes: plan.changes };
    return apply([gateway, worker], args, io, [...next(plan), ...workerSteps(worker, io)]);
  },
});

interface Side {
  readonly folder: string;
  /** Put before each path that is shown. */
  readonly prefix: string;
  readonly changes: InitPlan["changes"];
}

/** The first side is the requested one. */
async function apply(
  sides: readonly [Side, ...Side[]],
  options: { readonly dryRun?: boolean | undefined; readonly yes?: boolean | undefined },
  io: Io,
  steps: readonly string[],
): Promise<Report> {
  const [{ folder: directory }] = sides;
  const all = sides.flatMap(({ prefix, changes }) =>
    changes.map((change) => ({ ...change, path: join(prefix, change.path) })),
  );
  const shown = all.flatMap((change) => diffLines(change, io.paint));
  const files = all.map(({ path, before }) => ({ path, change: before === undefined ? "added" : "changed" }));
  const json = { directory, changed: all.length > 0, files };
  if (all.length === 0) return { json: { ...json, written: false }, lines: ["nothing to change"] };
  if (options.dryRun)
    return { json: { ...json, written: false }, lines: [...shown, "", "dry run: nothing was written"] };
  const asks = io.interactive && !options.yes;
  if (asks) {
    for (const line of shown) io.note(line);
    await confirm(`Write ${count(all.length, "file")}?`);
  }
  for (const side of sides) await writeAll(side.folder, side.changes);
  const lines = [...(asks ? [] : [...shown, ""]), `wrote ${count(all.length, "file")}`, ...steps];
  return { json: { ...json, written: true }, lines };
}

function workerSteps({ folder, changes }: WorkerSide, io: Io): readonly string[] {
  if (!changes.some(({ path }) => path === "wrangler.toml")) return [];
  return [`next: commit "${folder}", and preview the worker's deploy: ${io.suggest("deployDryRun")}`];
}

function workerReport({ folder, changes }: WorkerSide, io: Io): Report {
  const ok = changes.length === 0;
  const findings = changes.map(({ path, before }) => {
    const message = before === undefined ? "is missing" : "has another version's section";
    return { level: "drift", subject: join(folder, path), message };
  });
  const lines = findings.map(
    ({ level, subject, message }) => `${io.paint("red", level.padEnd(7))} ${subject} ${message}`,
  );
  return { json: { ok, findings }, lines: ok ? [`${io.paint("green", "ok")}      ${folder} is complete`] : lines, ok };
}

function next({ options, changes }: InitPlan): readonly string[] {
  const wroteEnv = changes.some(({ path }) => path === ".env");
  return [
    ...(wroteEnv ? ['next: give the variables in ".env" their values'] : []),
    ...(options ? [] : ['next: say what each route means with "x-audit" in its operation']),
  ];
}

async function checkReport(project: ZuploProject, plan: InitPlan, io: Io): Promise<Report> {
  const inspection = await inspectRoutes(plan.options ?? {}, plan.routes, project.env);
  const findings = findDrift(project, plan, inspection, io.suggest);
  const ok = !findings.some(isError);
  const audited = plan.routes.filter(({ place }) => place !== "absent").length;
  const summary = `${audited} of ${plan.routes.length} routes are audited`;
  return {
    json: { ok, findings, routes: { audited, total: plan.routes.length } },
    lines: [
      ...findings.map(({ level, subject, message }) => {
        const mark = io.paint(isError({ level }) ? "red" : "yellow", level.padEnd(7));
        return `${mark} ${visible(`${subject} ${message}`)}`;
      }),
      ok
        ? `${io.paint("green", "ok")}      ${summary}`
        : `${summary}; to add what is missing, run: ${io.suggest("init", project.directory)}`,
    ],
    ok,
  };
}
