/** `doctor`: finds common mistakes in a deployment, before the first event or later. */
import { resolve } from "node:path";
import { type CheckResult, resultLines, runChecks } from "../doctor/check.ts";
import { fileChecks } from "../doctor/files.ts";
import { pathChecks } from "../doctor/path.ts";
import { type InspectedProject, QSTASH_PLANS, type QstashPlan, type Setting } from "../doctor/setting.ts";
import { vendorChecks } from "../doctor/vendors.ts";
import { workerChecks } from "../doctor/worker.ts";
import { planInit } from "../init/plan.ts";
import { readProject } from "../init/project.ts";
import { builtModule } from "../policy/evaluation.ts";
import { inspectRoutes } from "../policy/inspection.ts";
import { command } from "../run/command.ts";
import { LOCK_FILE } from "../schemas/lock.ts";

const PLANS = Object.keys(QSTASH_PLANS) as QstashPlan[];

export const doctor = command({
  usage: "doctor [zuplo-project]",
  about: "Check files, variables, worker, QStash and WorkOS; each problem comes with its fix",
  examples: [
    ["doctor ./my-api --secrets-file production.env", "before a deploy, and after it"],
    ["doctor --json", "for a script"],
  ],
  options: (yargs) =>
    yargs
      .positional("zuplo-project", { type: "string", describe: "The project's directory" })
      .option("plan", { choices: PLANS, default: PLANS[0] ?? "free", describe: "Your QStash plan" })
      .option("skip-event", { type: "boolean", describe: "Do not send a test event" })
      .option("lock", {
        type: "string",
        requiresArg: true,
        default: LOCK_FILE,
        defaultDescription: "audit-schemas.lock.json",
        describe: "The lock file of the schemas",
      }),
  run: async (args, io) => {
    const setting: Setting = {
      io,
      ...(args.zuploProject === undefined ? {} : { project: await inspected(args.zuploProject) }),
      lockFile: args.lock,
      plan: args.plan,
      sendEvent: args.skipEvent !== true,
    };
    const first = [fileChecks, workerChecks, pathChecks].flatMap((make) => make(setting));
    // QStash knows a flow-control key only after its first message, which may be doctor's own.
    const results = [...(await runChecks(first)), ...(await runChecks(vendorChecks(setting)))];
    const ok = results.every(({ state }) => state !== "failed");
    return { json: { ok, checks: results }, lines: [...resultLines(results, io), summary(results)], ok };
  },
});

function summary(results: readonly CheckResult[]): string {
  const count = (state: CheckResult["state"]) => results.filter((result) => result.state === state).length;
  if (count("failed") > 0) return `${count("failed")} of ${results.length} checks failed`;
  const left = count("skipped") > 0 ? `, ${count("skipped")} skipped` : "";
  return `no check failed${count("warning") > 0 ? `, ${count("warning")} to look at` : ""}${left}`;
}

async function inspected(directory: string): Promise<InspectedProject> {
  const project = await readProject(resolve(directory));
  const plan = planInit(project, await builtModule(project.module.text), undefined);
  const inspection = await inspectRoutes(plan.options ?? {}, plan.routes, project.env);
  return { project, plan, inspection, routes: plan.routes };
}
