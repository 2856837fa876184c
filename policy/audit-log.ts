import { environment, type ZuploContext, type ZuploRequest } from "@zuplo/runtime";
import { mintEventId } from "../shared/event-id.ts";
import type { AuditRecord } from "../shared/record.ts";
import { outcomeOfStatus } from "../shared/record.ts";
import { encodeMessage } from "../shared/wire.ts";
import { retryPlan } from "../shared/retry-horizon.ts";

interface Options {
  qstashUrl?: string;
  qstashToken?: string;
  workerUrl?: string;
  organizationId?: string;
}

let sequence = 0;
const isolateId = () => "thin";

/** First cut: final hook, then a bounded publish of one record after the response. */
export async function auditLog(request: ZuploRequest, context: ZuploContext, options: Options): Promise<ZuploRequest> {
  const started = Date.now();
  const id = mintEventId(started, crypto.getRandomValues(new Uint8Array(9)), 1);
  context.addResponseSendingFinalHook((response, latest) => {
    const operation = context.route.raw<{ operationId?: string; "x-audit"?: { action?: string } }>();
    const record: AuditRecord = {
      id,
      stage: "outcome",
      occurredAtMs: started,
      durationMs: Date.now() - started,
      action: operation["x-audit"]?.action ?? operation.operationId ?? "api.request",
      ...(options.organizationId ? { organization: options.organizationId } : {}),
      actor: latest.user ? { id: latest.user.sub, type: "user" } : { id: "anonymous", type: "anonymous" },
      targets: [{ id: context.route.path, type: "route" }],
      method: request.method,
      route: context.route.path,
      status: response.status,
      outcome: outcomeOfStatus(response.status),
      requestId: context.requestId,
      assurance: "best-effort",
      gateway: {
        isolateId: isolateId(),
        policyVersion: "0.1.0",
        environment: environment.ZUPLO_ENVIRONMENT_STAGE ?? "",
      },
      sequence: (sequence += 1),
    };
    context.waitUntil(
      publish(record, options).catch((error: unknown) => context.log.error(`audit-log: ${String(error)}`)),
    );
  });
  return request;
}

async function publish(record: AuditRecord, options: Options): Promise<void> {
  const plan = retryPlan();
  const worker = (options.workerUrl ?? "").replace(/\/$/, "");
  const answer = await fetch(`${options.qstashUrl}/v2/publish/${worker}/deliver`, {
    method: "POST",
    signal: AbortSignal.timeout(3000),
    headers: {
      authorization: `Bearer ${options.qstashToken}`,
      "content-type": "application/json",
      "upstash-method": "POST",
      "upstash-deduplication-id": record.id,
      "upstash-retries": String(plan.retries),
      "upstash-retry-delay": plan.delayExpression,
      "upstash-timeout": "30s",
      "upstash-flow-control-key": "workos",
      "upstash-flow-control-value": "rate=80, period=1s",
      "upstash-failure-callback": `${worker}/dead-letter`,
      "upstash-label": "audit-forwarder",
    },
    body: JSON.stringify(encodeMessage([record])),
  });
  if (!answer.ok) throw new Error(`queue answered ${answer.status}`);
  await answer.body?.cancel();
}
