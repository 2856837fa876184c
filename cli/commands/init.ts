/** `init <zuplo-project>`: adds the audit policy to a Zuplo project, or checks it. */
import { resolve } from "node:path";
import { findDrift } from "../init/check.ts";
import { diffLines } from "../init/diff.ts";
import { isError } from "../init/finding.ts";
import { refuseForeign } from "../init/module.ts";
import { type InitPlan, planInit } from "../init/plan.ts";
import { readProject, type ZuploProject } from "../init/project.ts";
import { ROUTE_CHOICES } from "../init/routes.ts";
import { writeAll } from "../init/write.ts";
import { builtModule } from "../policy/ask.ts";
import { inspectRoutes } from "../policy/inspection.ts";
import { command, type Report } from "../run/command.ts";
import { confirm } from "../run/confirm.ts";
import type { Io } from "../run/io.ts";
import { count, visible } from "../run/text.ts";

export const init = command({
  usage: "init <zuplo-project>",
  about: "Add the audit policy to a Zuplo project, or upgrade it",
  examples: [
    ["init ./my-api", "audit every route"],
    ["init ./my-api --routes writes", "audit POST, PUT, PATCH and DELETE"],
    ["init ./my-api --check", "report drift; for CI"],
  ],
  options: (yargs) =>
    yargs
      .positional("zuplo-project", { type: "string", demandOption: true, describe: "The project's directory" })
      .option("routes", {
        choices: ROUTE_CHOICES,
        describe: "Routes that get the policy; default all on the first run, unchanged later",
      })
      .option("check", { type: "boolean", describe: "Only report drift; exit 1 if there is any" })
      .option("dry-run", { type: "boolean", describe: "Show the changes and stop" })
      .option("yes", { alias: "y", type: "boolean", describe: "Do not ask on a terminal" })
      .option("force", {
        type: "boolean",
        describe: 'Replace a "modules/audit-log.ts" that "init" did not write; a copy is kept',
      })
      .conflicts("check", ["dry-run", "yes", "force"]),

  run: async (args, io) => {
    const project = await readProject(resolve(args.zuploProject));
    const plan = planInit(project, await builtModule(project.module.text), args.routes);
    if (args.check) return checkReport(project, plan, io);
    if (!args.force) refuseForeign(plan.module);
    return apply(project, plan, args, io);
  },
});

async function apply(
  project: ZuploProject,
  plan: InitPlan,
  options: { readonly dryRun?: boolean | undefined; readonly yes?: boolean | undefined },
  io: Io,
): Promise<Report> {
  const shown = plan.changes.flatMap((change) => diffLines(change, io.paint));
  const files = plan.changes.map(({ path, before }) => ({ path, change: before === undefined ? "added" : "changed" }));
  const json = { directory: project.directory, changed: plan.changes.length > 0, files };
  if (plan.changes.length === 0) return { json: { ...json, written: false }, lines: ["nothing to change"] };
  if (options.dryRun)
    return { json: { ...json, written: false }, lines: [...shown, "", "dry run: nothing was written"] };
  const asks = io.interactive && !options.yes;
  if (asks) {
    for (const line of shown) io.note(line);
    await confirm(`Write ${count(plan.changes.length, "file")}?`);
  }
  await writeAll(project.directory, plan.changes);
  const lines = [...(asks ? [] : [...shown, ""]), `wrote ${count(plan.changes.length, "file")}`, ...next(plan)];
  return { json: { ...json, written: true }, lines };
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
