/** Records of an API like the example project's, published as the policy publishes them. */
import { randomBytes } from "node:crypto";
import { mintEventId } from "../../shared/event-id.ts";
import { deduplicationId, publishHeaders, publishPath } from "../../shared/qstash-headers.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import type { Queue } from "../queue/server.ts";

const ORGANIZATION = "org_01EHWNCE74X7JSDV0X3SZ3KJNY";

/** An action that a person could have done a moment ago. */
export function exampleRecord(changes: Partial<AuditRecord> = {}): AuditRecord {
  const occurredAtMs = changes.occurredAtMs ?? Date.now();
  return {
    id: mintEventId(occurredAtMs, randomBytes(9), 7),
    stage: "outcome",
    occurredAtMs,
    durationMs: 38,
    action: "member.invited",
    organization: ORGANIZATION,
    actor: { id: "user_ada", type: "user", name: "Ada Lovelace" },
    targets: [{ id: "team_1", type: "team" }],
    method: "POST",
    route: "/v1/teams/{teamId}/members",
    status: 201,
    outcome: "success",
    assurance: "best-effort",
    gateway: { isolateId: "showcase", policyVersion: "0.1.0" },
    sequence: 1,
    metadata: { role: "member" },
    ...changes,
  };
}

/** Publishes a record to the worker, or to another URL. */
export function publishRecord(queue: Queue, workerUrl: string, record: AuditRecord): Promise<void> {
  const headers = publishHeaders({ workerUrl, deduplicationId: deduplicationId([record]) });
  return publish(queue, workerUrl, JSON.stringify(encodeMessage([record])), headers);
}

/** Publishes bytes that the policy would not send. */
export function publishBody(queue: Queue, workerUrl: string, body: string): Promise<void> {
  const deduplication = `showcase_${randomBytes(8).toString("hex")}`;
  return publish(queue, workerUrl, body, publishHeaders({ workerUrl, deduplicationId: deduplication }));
}

async function publish(queue: Queue, workerUrl: string, body: string, headers: Record<string, string>): Promise<void> {
  const response = await fetch(`${queue.url}${publishPath(workerUrl)}`, {
    method: "POST",
    headers: { ...headers, authorization: `Bearer ${queue.token}` },
    body,
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the development queue answered ${response.status} to a publish`);
}
