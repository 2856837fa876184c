/** The last check: sends one event through both paths to WorkOS, and checks the result. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { mintEventId } from "../../shared/event-id.ts";
import { CHECK_ACTION, CHECK_ISOLATE_ID } from "../../shared/operator-actions.ts";
import { deduplicationId, publishHeaders, publishPath } from "../../shared/qstash-headers.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { DeadLetter } from "../api/answers.ts";
import { type Api, openApi, workerUrl } from "../api/client.ts";
import { EventFate } from "../api/events.ts";
import { fetchJson } from "../http/json-answer.ts";
import { type Check, failed, ok, skipped } from "./check.ts";
import { firstMissing, type Setting, suggestSchemas, variable } from "./setting.ts";

const TIMEOUT_MS = 10_000;
/** Longest wait for the event. QStash delivers within a second if no other message waits. Our choice. */
const WAIT_MS = 20_000;
const POLL_MS = 250;

/** The checks that send an event; both send the same one. */
export function pathChecks(setting: Setting): readonly Check[] {
  const at = new Date();
  const record = checkRecord(at.getTime(), variable(setting, "AUDIT_ORGANIZATION_ID"));
  const body = JSON.stringify(encodeMessage([record]));
  return [
    { name: "whole path", run: () => wholePath(setting, record, body) },
    // The same event on the second path. The ledger ensures that it is stored once.
    { name: "ingest key", run: () => ingest(setting, record.id, body, at) },
  ];
}

function checkRecord(nowMs: number, organization: string | undefined): AuditRecord {
  return {
    id: mintEventId(nowMs, randomBytes(9), 0),
    stage: "outcome",
    occurredAtMs: nowMs,
    action: CHECK_ACTION,
    ...(organization === undefined ? {} : { organization }),
    actor: { id: "doctor", type: "operator" },
    targets: [{ id: "worker", type: "worker" }],
    method: "POST",
    route: "/doctor",
    status: 200,
    outcome: "success",
    assurance: "durable",
    gateway: { isolateId: CHECK_ISOLATE_ID, policyVersion: "doctor" },
    sequence: 0,
  };
}

const NEEDED = ["AUDIT_WORKER_URL", "AUDIT_ADMIN_TOKEN", "QSTASH_URL", "QSTASH_TOKEN", "AUDIT_ORGANIZATION_ID"];

async function wholePath(setting: Setting, record: AuditRecord, body: string) {
  if (!setting.sendEvent) return skipped("no event was sent", "leave --skip-event out");
  const missing = firstMissing(setting, NEEDED);
  if (missing) return skipped(`"${missing}" is not set`, "export it");
  const url = workerUrl(setting.io);
  const startMs = Date.now();
  const headers = {
    ...publishHeaders({
      workerUrl: url,
      deduplicationId: deduplicationId([record]),
      flowControlKey: variable(setting, "AUDIT_FLOW_CONTROL_KEY"),
    }),
    authorization: `Bearer ${variable(setting, "QSTASH_TOKEN") ?? ""}`,
  };
  const queue = (variable(setting, "QSTASH_URL") ?? "").replace(/\/+$/, "");
  const published = await fetchJson(queue + publishPath(url), { method: "POST", headers, body }, TIMEOUT_MS);
  if (!published.ok)
    return failed(`QStash answers ${published.status} to a message`, 'check "QSTASH_URL" and "QSTASH_TOKEN"');
  const api = openApi(setting.io);
  const fate = await settled(api, record.id);
  // WorkOS has no route that reads an event back: only "schemas" below can tell whether it stored the event.
  if (fate.state === "delivered")
    return ok(`WorkOS accepted one event (${CHECK_ACTION}) after ${Date.now() - startMs} ms`);
  return failed(await explain(setting, api, fate), `run: ${setting.io.suggest("trace", record.id)}`);
}

async function settled(api: Api, id: string): Promise<EventFate> {
  const deadlineMs = Date.now() + WAIT_MS;
  for (;;) {
    const fate = await api.get(EventFate, `/api/events/${id}`);
    if (fate.state === "delivered" || fate.state === "dead_letter" || Date.now() >= deadlineMs) return fate;
    await sleep(POLL_MS);
  }
}

/** Returns why the event was not delivered. Discards its dead letter, so that no operator finds it. */
async function explain(setting: Setting, api: Api, { event_id: id, state, attempts }: EventFate): Promise<string> {
  const reason = attempts.at(-1)?.reason ?? "no attempt was made";
  if (state !== "dead_letter") return `the event is ${state} after ${WAIT_MS / 1000} s: ${reason}`;
  await api.post(DeadLetter, `/api/dead-letters/${id}/discard`, { reason: "made by doctor" }).catch(() => undefined);
  return `WorkOS refuses the event: ${reason}; is ${CHECK_ACTION} registered? To register it, run: ${suggestSchemas(setting, "push")}`;
}

async function ingest(setting: Setting, id: string, body: string, at: Date) {
  if (!setting.sendEvent) return skipped("no event was sent", "leave --skip-event out");
  const missing = firstMissing(setting, ["AUDIT_WORKER_URL", "AUDIT_INGEST_KEY", "AUDIT_ORGANIZATION_ID"]);
  if (missing) return skipped(`"${missing}" is not set`, "export it");
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(variable(setting, "AUDIT_INGEST_KEY") ?? "").sign(id, at, body),
  };
  const { status } = await fetchJson(`${workerUrl(setting.io)}/ingest`, { method: "POST", headers, body }, TIMEOUT_MS);
  if (status === 202) return ok("the worker accepts messages signed with it");
  if (status === 401)
    return failed("the worker refuses messages signed with it", 'give gateway and worker the same "AUDIT_INGEST_KEY"');
  return failed(`/ingest answers ${status}`, 'see "worker" above');
}
