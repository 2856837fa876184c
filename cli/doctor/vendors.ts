/** Checks of QStash and WorkOS: our keys, our organization, our flow-control key. */
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import { OPERATOR_ACTIONS } from "../../shared/operator-actions.ts";
import { fetchJson, type JsonAnswer } from "../http/json-answer.ts";
import { compareSchemas } from "../schemas/comparison.ts";
import { deriveSchemas } from "../schemas/derived-schemas.ts";
import { type Lock, readLock } from "../schemas/lock.ts";
import { registeredActions } from "../schemas/registry.ts";
import type { RegisteredSchema } from "../schemas/schema.ts";
import { count } from "../run/text.ts";
import { openWorkos } from "../workos/client.ts";
import { type Check, failed, ok, skipped, warning } from "./check.ts";
import { otherOwnKeys } from "./flow-keys.ts";
import { firstMissing, type Setting, suggestSchemas, variable } from "./setting.ts";
import { pausedBy } from "./worker.ts";

const TIMEOUT_MS = 10_000;

/** The checks that call QStash and WorkOS; each is skipped if its key is not set. */
export function vendorChecks(setting: Setting): readonly Check[] {
  return [
    { name: "signing keys", run: () => signingKeys(setting) },
    { name: "flow control", run: () => flowControl(setting) },
    { name: "workos key", run: () => workosKey(setting) },
    { name: "organization", run: () => organization(setting) },
    { name: "schemas", run: () => schemas(setting) },
  ];
}

async function qstash(setting: Setting, path: string): Promise<JsonAnswer> {
  const url = (variable(setting, "QSTASH_URL") ?? "").replace(/\/+$/, "");
  const headers = { authorization: `Bearer ${variable(setting, "QSTASH_TOKEN") ?? ""}` };
  const answer = await fetchJson(url + path, { headers }, TIMEOUT_MS).catch((cause: unknown) => {
    throw new AuditError("queue_unreachable", `QStash at ${url} does not answer; check "QSTASH_URL"`, { cause });
  });
  if (answer.status !== 401 && answer.status !== 403) return answer;
  throw new AuditError("unauthorized", 'QStash refuses "QSTASH_TOKEN"; is it of the same region as "QSTASH_URL"?');
}

const Keys = z.looseObject({ current: z.string(), next: z.string() });

async function signingKeys(setting: Setting) {
  const missing = firstMissing(setting, ["QSTASH_URL", "QSTASH_TOKEN"]);
  if (missing) return skipped(`"${missing}" is not set`, "export it");
  const keys = Keys.parse((await qstash(setting, "/v2/keys")).json);
  const current = variable(setting, "QSTASH_CURRENT_SIGNING_KEY");
  const next = variable(setting, "QSTASH_NEXT_SIGNING_KEY");
  if (current === undefined || next === undefined) {
    return skipped(
      "the token is good; the worker's keys are not known here",
      'export "QSTASH_CURRENT_SIGNING_KEY" and "QSTASH_NEXT_SIGNING_KEY"',
    );
  }
  if (current === keys.current && next === keys.next) return ok("both are QStash's own");
  // After one rotation, QStash signs with the key that is "next" here, and the worker still accepts it.
  if (next === keys.current)
    return warning("QStash has rotated its keys once", "give the worker the new ones before the next rotation");
  if (current === keys.current)
    return warning("the next key is not QStash's", "give the worker the new one before the next rotation");
  return failed(
    "neither key is QStash's, so every delivery is refused",
    "give the worker both keys of QStash's console",
  );
}

const Flow = z.looseObject({ isPaused: z.boolean().optional(), waitListSize: z.number().optional() });

async function flowControl(setting: Setting) {
  const missing = firstMissing(setting, ["QSTASH_URL", "QSTASH_TOKEN"]);
  if (missing) return skipped(`"${missing}" is not set`, "export it");
  const key = variable(setting, "AUDIT_FLOW_CONTROL_KEY") ?? "workos";
  const gatewayKey = setting.project?.plan.options?.["flowControlKey"];
  if (typeof gatewayKey === "string" && gatewayKey !== key) {
    return failed(
      `the gateway uses the key "${gatewayKey}", the worker "${key}"`,
      'make "flowControlKey" and "AUDIT_FLOW_CONTROL_KEY" equal',
    );
  }
  const workerUrl = variable(setting, "AUDIT_WORKER_URL");
  const former = variable(setting, "AUDIT_WORKER_URL_PREVIOUS")?.split(",") ?? [];
  const own = workerUrl === undefined ? [] : [workerUrl, ...former];
  const others = await otherOwnKeys(key, own, (path) => qstash(setting, path));
  if (others.length > 0) {
    const named = others.map(({ name, waiting }) => `${count(waiting, "message")} under "${name}"`).join(", ");
    return failed(
      `the worker uses the key "${key}", but messages for it wait under others: ${named}`,
      `make "flowControlKey" and "AUDIT_FLOW_CONTROL_KEY" equal, then run: ${setting.io.suggest("resume")}`,
    );
  }
  const { status, json } = await qstash(setting, `/v2/flowControl/${encodeURIComponent(key)}`);
  if (status === 404) return warning(`QStash has no key "${key}" yet`, "it appears with the first message");
  const { isPaused = false, waitListSize = 0 } = Flow.parse(json);
  const waiting = `${count(waitListSize, "message")} ${waitListSize === 1 ? "waits" : "wait"}`;
  if (isPaused && (await pausedBy(setting)) === "breaker")
    return failed(`the breaker has paused the key "${key}", ${waiting}`, "it resumes by itself once WorkOS is back");
  if (isPaused) return failed(`the key "${key}" is paused, ${waiting}`, `run: ${setting.io.suggest("resume")}`);
  return ok(`the key "${key}" is open, ${waiting}`);
}

async function workosKey(setting: Setting) {
  if (firstMissing(setting, ["WORKOS_API_KEY"])) return skipped('"WORKOS_API_KEY" is not set', "export it");
  await openWorkos(setting.io).get("/audit_logs/actions", { limit: "1" });
  return ok("it may read audit logs");
}

const Configuration = z.looseObject({ state: z.string() });

async function organization(setting: Setting) {
  const missing = firstMissing(setting, ["WORKOS_API_KEY", "AUDIT_ORGANIZATION_ID"]);
  if (missing) return skipped(`"${missing}" is not set`, "export it");
  const id = variable(setting, "AUDIT_ORGANIZATION_ID") ?? "";
  try {
    const answer = await openWorkos(setting.io).get(`/organizations/${encodeURIComponent(id)}/audit_log_configuration`);
    const { state } = Configuration.parse(answer);
    return state === "active"
      ? ok(`${id} has an active audit log`)
      : failed(`the audit log of ${id} is ${state}`, "switch it on in WorkOS");
  } catch (error) {
    if (!(error instanceof AuditError) || error.code !== "not_found") throw error;
    return failed(
      `WorkOS does not know the organization ${id}`,
      'set "AUDIT_ORGANIZATION_ID" to one of this WorkOS environment',
    );
  }
}

/** Compares WorkOS's registry with the project, or without one with the lock file that the worker was built with. */
async function schemas(setting: Setting) {
  const { project, lockFile } = setting;
  if (firstMissing(setting, ["WORKOS_API_KEY"])) return skipped('"WORKOS_API_KEY" is not set', "export it");
  const [registered, lock] = await Promise.all([registeredActions(openWorkos(setting.io)), readLock(lockFile)]);
  if (!project) return lockedSchemas(setting, registered, lock);
  const derived = deriveSchemas(project.routes, project.inspection);
  const { changes, current, unlocked } = compareSchemas(derived, registered, lock);
  if (changes.length === 0 && unlocked.length === 0)
    return ok(`${current.size} actions are registered as they are sent`);
  return unregistered(setting, [...changes.map(({ action }) => action), ...unlocked]);
}

function lockedSchemas(setting: Setting, registered: ReadonlyMap<string, RegisteredSchema>, lock: Lock) {
  const locked = Object.entries(lock).filter(([action, version]) => registered.get(action)?.version !== version);
  if (locked.length > 0)
    return unregistered(
      setting,
      locked.map(([action]) => action),
    );
  const own = Object.keys(OPERATOR_ACTIONS).filter((action) => !registered.has(action));
  if (own.length > 0)
    return warning(
      `WorkOS may drop the forwarder's own events, whose actions are not registered: ${shortened(own)}`,
      `run "schemas push" with your project: ${suggestSchemas(setting, "push")}`,
    );
  const count = Object.keys(lock).length;
  if (count > 0) return ok(`${count} actions of the lock file are registered in these versions`);
  return skipped(
    "no Zuplo project was named, and the lock file is empty",
    'add the project\'s directory after "doctor"',
  );
}

/** WorkOS answers 200 to an event with an unregistered action, and drops it. */
function unregistered(setting: Setting, names: readonly string[]) {
  return failed(
    `${names.length} actions are not registered as they are sent, and WorkOS may drop their events: ${shortened(names)}`,
    `run: ${suggestSchemas(setting, "push")}`,
  );
}

function shortened(names: readonly string[]): string {
  return names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
}
