/** Checks before a deploy: files, options, variables, retry schedule, sizes. They need no network. */
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { MESSAGE_MAX_BYTES } from "../../shared/limits.ts";
import { DEFAULT_RETRIES, HORIZON_MAX_MS, HORIZON_MIN_MS, retryPlan } from "../../shared/retry-horizon.ts";
import { BUNDLE_MAX_GZIP_BYTES } from "../deploy/upload.ts";
import { faultOf, missingSecrets, PLAIN_VARIABLES, sameValue, SECRETS } from "../deploy/variables.ts";
import { workerFile } from "../deploy/worker-files.ts";
import { findDrift } from "../init/check.ts";
import { isError } from "../init/finding.ts";
import { POLICY_VARIABLE_NAMES, readValues } from "../init/env-file.ts";
import { workerFolder } from "../run/installation.ts";
import { deriveSchemas } from "../schemas/derived-schemas.ts";
import { readLock } from "../schemas/lock.ts";
import { type Check, failed, ok, skipped, warning } from "./check.ts";
import { noProject, QSTASH_PLANS, type Setting, suggestSchemas, variable } from "./setting.ts";

const HOUR_MS = 3_600_000;

/** The checks that need only this machine. */
export function fileChecks(setting: Setting): readonly Check[] {
  return [
    { name: "gateway", run: () => Promise.resolve(gateway(setting)) },
    { name: "same on both sides", run: () => Promise.resolve(bothSides(setting)) },
    { name: "variables", run: () => Promise.resolve(variables(setting)) },
    { name: "retry horizon", run: () => Promise.resolve(horizon(setting)) },
    { name: "queue plan", run: () => Promise.resolve(queuePlan(setting)) },
    { name: "bundle", run: bundle },
    { name: "lock file", run: () => lockFile(setting) },
  ];
}

function gateway(setting: Setting) {
  const { project } = setting;
  if (!project) return noProject();
  const findings = findDrift(project.project, project.plan, project.inspection, setting.io.suggest);
  const wrong = findings.filter(isError);
  const [first] = wrong;
  const audited = project.routes.filter(({ place }) => place !== "absent").length;
  if (!first) return ok(`${audited} of ${project.routes.length} routes are audited`);
  const more = wrong.length > 1 ? `, and ${wrong.length - 1} more` : "";
  return failed(
    `${first.subject} ${first.message}${more}`,
    `run: ${setting.io.suggest("initCheck", project.project.directory)}`,
  );
}

/** The gateway and the worker must have the same keys and URLs. The values are compared, never shown. */
function bothSides(setting: Setting) {
  const { project } = setting;
  if (!project?.project.env.text) return skipped('there is no ".env" to compare with', "name a project that has one");
  const values = readValues(project.project.env.text);
  const both = POLICY_VARIABLE_NAMES.filter((name) => values.get(name) && variable(setting, name) !== undefined);
  if (both.length === 0)
    return skipped("no variable is set on both sides", "export the worker's, or name its --secrets-file");
  const different = both.filter((name) => !sameValue(values.get(name) ?? "", variable(setting, name) ?? ""));
  if (different.length === 0) return ok(both.join(", "));
  return failed(`${different.join(", ")} differ between ".env" and here`, "give both sides the same values");
}

function variables(setting: Setting) {
  const given = Object.keys({ ...SECRETS, ...PLAIN_VARIABLES }).filter((name) => variable(setting, name) !== undefined);
  const faults = given.flatMap((name) => {
    const fault = faultOf(name, variable(setting, name) ?? "");
    return fault === undefined ? [] : [`"${name}" ${fault}`];
  });
  if (faults.length > 0) return failed(faults.join("; "), "correct them where they are set");
  const missing = missingSecrets(given, []);
  if (missing.length === 0) return ok(`${given.length} are set and well formed`);
  return skipped(`not set here: ${missing.join(", ")}`, "export them, or name the worker's --secrets-file");
}

function horizon({ project }: Setting) {
  const retries = retriesOf(project);
  const { delaysMs, horizonMs } = retryPlan(retries);
  const hours = (horizonMs / HOUR_MS).toFixed(1);
  const delays = delaysMs.map((ms) => `${Math.round(ms / 60_000)}`).join(" + ");
  const detail = `${retries + 1} attempts over ${hours} h (${delays} min), WorkOS remembers a key for 24 h`;
  if (horizonMs >= HORIZON_MIN_MS && horizonMs <= HORIZON_MAX_MS) return ok(detail);
  return failed(detail, "choose retries that end between 18 h and 23 h");
}

function queuePlan({ project, plan }: Setting) {
  const limits = QSTASH_PLANS[plan];
  const retries = retriesOf(project);
  if (retries > limits.retries) {
    return warning(
      `${retries} retries; the plan "${plan}" is said to allow ${limits.retries}`,
      'lower "retries" or name another --plan',
    );
  }
  const detail = `messages up to ${kilobytes(MESSAGE_MAX_BYTES)} of ${kilobytes(limits.messageBytes)}, ${retries} of ${limits.retries} retries, swept well within ${limits.dlqDays} days`;
  return MESSAGE_MAX_BYTES <= limits.messageBytes
    ? ok(`plan "${plan}": ${detail}`)
    : failed(detail, "name a larger --plan");
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}

function retriesOf(project: Setting["project"]): number {
  const given = project?.plan.options?.["retries"];
  return typeof given === "number" && given >= 3 && given <= 8 ? given : DEFAULT_RETRIES;
}

/** Builds the upload. wrangler's own dry run gives the same size in ten times the time. */
async function bundle() {
  const gzipBytes = gzipSync(await readFile(await workerFile(workerFolder()))).length;
  const detail = `the worker has ${Math.ceil(gzipBytes / 1000)} kB gzip of ${BUNDLE_MAX_GZIP_BYTES / 1000} kB`;
  return gzipBytes <= BUNDLE_MAX_GZIP_BYTES ? ok(detail) : failed(detail, "Cloudflare's smallest plan accepts no more");
}

/** Without the network, this finds only actions that were never pushed; `schemas` finds the rest. */
async function lockFile(setting: Setting) {
  const { project, lockFile } = setting;
  if (!project) return noProject();
  const { actions, problems } = deriveSchemas(project.routes, project.inspection);
  const [problem] = problems;
  if (problem !== undefined) return failed(problem, `run: ${suggestSchemas(setting, "check")}`);
  const lock = await readLock(lockFile);
  const missing = [...actions.keys()].filter((action) => lock[action] === undefined);
  if (missing.length === 0) return ok(`${actions.size} actions have a version`);
  return failed(
    `${missing.length} of ${actions.size} actions have no version`,
    `run: ${suggestSchemas(setting, "push")}`,
  );
}
