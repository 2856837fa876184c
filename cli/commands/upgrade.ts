/** `upgrade`: shows what an upgrade to this version changes, in a safe order. It changes nothing itself. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { moduleVersion, workerVersion } from "../doctor/versions.ts";
import { readProject } from "../init/project.ts";
import { command } from "../run/command.ts";
import { builtFile, IS_PACKAGE, programVersion, ROOT, workerFolder } from "../run/installation.ts";
import type { Io } from "../run/io.ts";
import { type UpgradeChange, upgradePlan } from "../upgrade/plan.ts";

export const upgrade = command({
  usage: "upgrade [zuplo-project]",
  about: "Show the steps of an upgrade to this version, in order; refuses a downgrade past a migration",
  examples: [["upgrade ./my-api", "after installing a new version"]],
  options: (yargs) => yargs.positional("zuplo-project", { type: "string", describe: "The project's directory" }),
  run: async (args, io) => {
    const own = programVersion();
    const project = args.zuploProject === undefined ? undefined : await readProject(resolve(args.zuploProject));
    const worker = io.env["AUDIT_WORKER_URL"] ? await workerVersion(io) : undefined;
    const changes = upgradePlan({
      own: own.version,
      worker: worker?.version === "development" ? undefined : worker?.version,
      policy: project && moduleVersion(project.module),
      wranglerToml: await readFile(join(workerFolder(), "wrangler.toml"), "utf8").catch(() => undefined),
      template: await readFile(IS_PACKAGE ? builtFile("wrangler.toml") : join(ROOT, "wrangler.toml"), "utf8"),
    });
    const steps = changes.map((change) => ({ ...change, next: nextOf(change, project?.directory ?? ".", io) }));
    const unknown = [
      ...(worker ? [] : [whyUnknown(io.env["AUDIT_WORKER_URL"])]),
      ...(project ? [] : ["the policy was not checked; name the project's directory"]),
    ];
    const lines = steps.map(
      ({ part, from, to, next }, index) =>
        `${index + 1}. ${part}: ${from === undefined ? to : `${from} → ${to}`}; ${next}`,
    );
    return {
      json: { version: own.version, changes: steps, unknown },
      lines: [
        ...(lines.length > 0 ? lines : [`everything that was checked is ${own.version}`]),
        ...unknown.map((text) => `- ${text}`),
      ],
    };
  },
});

function whyUnknown(workerUrl: string | undefined): string {
  if (!workerUrl) return 'the worker was not asked; set "AUDIT_WORKER_URL"';
  return `the worker at ${workerUrl} did not name its version; check "AUDIT_WORKER_URL" and the deploy`;
}

function nextOf({ part }: UpgradeChange, project: string, { suggest }: Io): string {
  if (part === "wrangler.toml") return `add it to ${join(workerFolder(), "wrangler.toml")} as the new template has it`;
  if (part === "worker") return `preview it: ${suggest("deployDryRun")}`;
  if (part === "policy") return `run: ${suggest("init", project)}`;
  return `run: ${suggest("schemas", "push", project)}`;
}
