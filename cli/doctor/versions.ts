/** Compares the versions of the policy in the project and in the gateway, the deployed worker and this command. */
import * as z from "zod";
import { workerUrl } from "../api/client.ts";
import { fetchJson } from "../http/json-answer.ts";
import { isOurModule } from "../init/module.ts";
import type { ProjectFile } from "../init/project.ts";
import { programVersion } from "../run/installation.ts";
import type { Io } from "../run/io.ts";
import { versionOrder } from "../run/version-order.ts";
import { failed, ok, skipped, warning } from "./check.ts";
import { type Setting, variable } from "./setting.ts";

const TIMEOUT_MS = 10_000;
/** The last release whose `/health` did not name its version. */
const BEFORE_VERSIONS = "0.1.0";

const Health = z.looseObject({
  version: z.string().default(BEFORE_VERSIONS),
  commit: z.string().default("unknown"),
  /** The policies whose records came in the last day. */
  policies: z.array(z.looseObject({ version: z.string(), last_seen_at: z.string() })).default([]),
});

/** Asks the worker for its version; undefined if none is deployed or something else answers. */
export async function workerVersion(io: Io): Promise<z.infer<typeof Health> | undefined> {
  const answer = await fetchJson(`${workerUrl(io)}/health`, {}, TIMEOUT_MS).catch(() => undefined);
  const parsed = Health.safeParse(answer?.status === 200 ? answer.json : undefined);
  return parsed.success ? parsed.data : undefined;
}

/** Reads the version from the first lines of a module that `init` wrote. */
export function moduleVersion(module: ProjectFile): string | undefined {
  return isOurModule(module) ? /forwarder policy (\d\S*)/.exec(module.text ?? "")?.[1] : undefined;
}

/** Upgrade the worker before the policy: the worker reads messages of an older policy, but not of a newer one. */
export async function versions(setting: Setting) {
  const own = programVersion();
  const policy = setting.project && moduleVersion(setting.project.project.module);
  const worker = variable(setting, "AUDIT_WORKER_URL") === undefined ? undefined : await workerVersion(setting.io);
  if (worker === undefined && policy === undefined)
    return skipped("no worker answers, and no project was named", 'set "AUDIT_WORKER_URL", or name the project');
  if (worker?.version === "development") return ok("the worker is a development build");
  const inGateway = (worker?.policies ?? []).toSorted((a, b) => versionOrder(a.version, b.version));
  const [oldest, newest] = [inGateway[0], inGateway.at(-1)];
  const found = [
    ...(policy === undefined ? [] : [`policy ${policy}`]),
    ...inGateway.map(({ version, last_seen_at: at }) => `policy ${version} in the gateway (last seen ${at})`),
    ...(worker === undefined ? [] : [`worker ${worker.version} (commit ${worker.commit})`]),
    `this command ${own.version} (commit ${own.commit})`,
  ].join(", ");
  const suggestion = setting.io.suggest("deployDryRun");
  if (worker && policy !== undefined && versionOrder(policy, worker.version) > 0)
    return failed(
      `the policy is newer than the worker, so messages may wait: ${found}`,
      `deploy the worker; to preview that, run: ${suggestion}`,
    );
  if (worker && newest && versionOrder(newest.version, worker.version) > 0)
    return failed(
      `the gateway runs a policy that is newer than the worker, so messages may wait: ${found}`,
      `deploy the worker of version ${newest.version} or newer; to preview that, run: ${suggestion}`,
    );
  if (worker && versionOrder(worker.version, own.version) !== 0)
    return warning(
      `the worker is ${versionOrder(worker.version, own.version) < 0 ? "older" : "newer"} than this command: ${found}`,
      "use the same version for both",
    );
  if (policy !== undefined && versionOrder(policy, own.version) !== 0)
    return warning(
      `the policy is not of this version: ${found}`,
      `run: ${setting.io.suggest("init", setting.project?.project.directory ?? ".")}`,
    );
  if (worker && oldest && versionOrder(oldest.version, worker.version) < 0)
    return warning(
      `the gateway ran policy ${oldest.version} within the last day, which is older than the worker: ${found}`,
      "nothing is lost; deploy the gateway with the policy of this version, if that has not happened since",
    );
  return ok(found);
}
