/** Causes the incidents of the runbook on the local stack, so that the console has something to show. */
import { AuditError } from "../../shared/errors.ts";
import { retryPlan } from "../../shared/retry-horizon.ts";
import type { MovableClock } from "../queue/clock.ts";
import type { Queue } from "../queue/server.ts";
import type { WorkosStandIn } from "../workos/server.ts";
import { exampleRecord, publishBody, publishRecord } from "./record.ts";

/** The parts of the stack that an incident needs. */
interface Scene {
  readonly workos: WorkosStandIn;
  readonly queue: Queue;
  readonly clock: MovableClock;
  readonly workerUrl: string;
}

/** Each opens its incident at once or within the next cron rounds of the worker. */
const CAUSES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  paused: async (scene) => {
    scene.workos.keys.rotate("sk_test_new");
    await publishRecord(scene.queue, scene.workerUrl, exampleRecord());
  },
  destination_down: async (scene) => {
    scene.workos.faults.add({ answer: "internal_error" });
    for (let n = 0; n < 6; n++) await publishRecord(scene.queue, scene.workerUrl, exampleRecord());
  },
  dead_letters_rejected: rejected,
  dead_letters_exhausted: exhausted,
  dead_letters_credential: credential,
  dead_letters_unreadable: ({ queue, workerUrl }) => publishBody(queue, workerUrl, '{"v":1,"records":"garbled'),
  undelivered_too_long: async ({ queue, workos, workerUrl }) => {
    workos.faults.add({ match: { action: "report.exported" }, status: 409, body: { message: "Conflict" } });
    const occurredAtMs = Date.now() - 20 * 60_000;
    await publishRecord(queue, workerUrl, exampleRecord({ action: "report.exported", occurredAtMs }));
  },
  queue_unreachable: async ({ queue }) => queue.setFaults({ all: { status: 503 } }),
  newer_message: ({ queue, workerUrl }) => publishBody(queue, workerUrl, '{"v":99,"records":[]}'),
  deliveries_refused: async ({ workerUrl }) => {
    for (let n = 0; n < 3; n++) await refusedDelivery(workerUrl);
  },
  requests_refused: async ({ workerUrl }) => {
    const headers = { authorization: "Bearer a-token-that-somebody-guessed" };
    for (let n = 0; n < 25; n++) await (await fetch(`${workerUrl}/api/me`, { headers })).arrayBuffer();
  },
  foreign_messages: async ({ queue, clock }) => {
    // Nobody listens there, so QStash gives up after the last attempt.
    await publishRecord(queue, "http://127.0.0.1:9", exampleRecord());
    await passTime(queue, clock, retryPlan().delaysMs);
  },
  sweep_failing: async ({ queue }) => queue.setFaults({ listing: { status: 503 } }),
};

/** Why the other incidents cannot be caused quickly on a laptop. */
export const NOT_HERE: Readonly<Record<string, string>> = {
  outbox_waits_too_long: "it starts 15 minutes after queue_unreachable does, while the gateway is called",
  ledger_unreachable: "the storage of workerd does not fail",
  not_configured: "this stack always sets every variable of the worker",
  operator_events_refused: "it needs an organization that WorkOS does not know, and the stand-in knows all",
  evidence_not_sealed: "the bucket of this stack always answers, and its key is always set",
  anchor_failing: "this stack has no anchor",
  gateway_silent: "the worker looks for a silent gateway every five minutes, and needs AUDIT_PROBE_URL",
  queue_backlog: "it needs more than 10,000 waiting messages",
  storage_nearly_full: "it needs 7 GB in one database",
};

/** The incidents that `causeIncident` accepts. */
export const INCIDENTS: readonly string[] = Object.keys(CAUSES);

/** Checks the name of an incident. Throws `invalid_option` for one that cannot be caused here, with the reason. */
export function parseIncident(name: string): string {
  if (Object.hasOwn(CAUSES, name)) return name;
  const why = NOT_HERE[name];
  if (why !== undefined) {
    throw new AuditError("invalid_option", `"incident" cannot be ${name} on this stack: ${why}`);
  }
  throw new AuditError("invalid_option", `"incident" must be one of: ${INCIDENTS.join(", ")}`);
}

/** Causes an incident by its name. */
export async function causeIncident(name: string, scene: Scene): Promise<void> {
  await CAUSES[name]?.(scene);
}

/** Actions that WorkOS rejects, in two organizations. */
async function rejected({ queue, workos, workerUrl }: Scene): Promise<void> {
  const unregistered = {
    status: 400,
    body: { message: "Audit Log could not be processed", code: "invalid_audit_log" },
  };
  workos.faults.add({ match: { action: "member.invite" }, ...unregistered, times: 4 });
  workos.faults.add({ match: { action: "api_key.rotated" }, ...unregistered, times: 2 });
  workos.faults.add({
    match: { organization_id: "org_gone" },
    status: 404,
    body: { message: "Organization not found", code: "entity_not_found" },
    times: 2,
  });
  for (let n = 0; n < 4; n++) await publishRecord(queue, workerUrl, exampleRecord({ action: "member.invite" }));
  const rotation = { action: "api_key.rotated", route: "/v1/api-keys/{keyId}/rotations" };
  for (let n = 0; n < 2; n++) await publishRecord(queue, workerUrl, exampleRecord(rotation));
  for (let n = 0; n < 2; n++) await publishRecord(queue, workerUrl, exampleRecord({ organization: "org_gone" }));
}

/** WorkOS fails one action until the last attempt, and then recovers. */
async function exhausted({ queue, workos, clock, workerUrl }: Scene): Promise<void> {
  const { delaysMs } = retryPlan();
  const times = 2 * (delaysMs.length + 1);
  workos.faults.add({ match: { action: "secret.read" }, status: 409, body: { message: "Conflict" }, times });
  for (let n = 0; n < 2; n++) await publishRecord(queue, workerUrl, exampleRecord({ action: "secret.read" }));
  await passTime(queue, clock, delaysMs);
}

/** The API key is changed just before the last attempt. */
async function credential({ queue, workos, clock, workerUrl }: Scene): Promise<void> {
  const { delaysMs } = retryPlan();
  workos.faults.add({ match: { action: "secret.read" }, status: 409, body: { message: "Conflict" } });
  await publishRecord(queue, workerUrl, exampleRecord({ action: "secret.read" }));
  await passTime(queue, clock, delaysMs.slice(0, -1));
  workos.faults.clear();
  workos.keys.rotate("sk_test_new");
  await passTime(queue, clock, delaysMs.slice(-1));
}

async function passTime(queue: Queue, clock: MovableClock, delaysMs: readonly number[]): Promise<void> {
  await queue.idle();
  for (const delayMs of delaysMs) {
    clock.advance(delayMs + 1);
    await queue.idle();
  }
}

/** A call with a token in QStash's format that no known key signed. */
async function refusedDelivery(workerUrl: string): Promise<void> {
  const claims = { iss: "Upstash", sub: `${workerUrl}/deliver`, exp: 9_999_999_999, body: "" };
  const token = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(claims)}.c2lnbmF0dXJl`;
  const headers = { "upstash-signature": token };
  await (await fetch(`${workerUrl}/deliver`, { method: "POST", body: "{}", headers })).arrayBuffer();
}

function encoded(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString("base64url");
}
