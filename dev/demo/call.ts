/** One call through the gateway, as its caller sees it. */
import { randomUUID } from "node:crypto";

export interface DemoCall {
  readonly method: string;
  readonly path: string;
  /** Bearer token of the example's sign-in; absent: anonymous. */
  readonly token?: string;
  readonly body?: unknown;
  /** The assurance that the route declares; absent: best-effort. */
  readonly assurance?: "durable" | "required";
  /** The status that the API itself answers. */
  readonly expectStatus: number;
  /** The action that WorkOS must store for it. */
  readonly expectAction: string;
  readonly expectOutcome?: string;
  /** The action of the API call that the request makes inside the gateway, which leaves its own event. */
  readonly expectChildAction?: string;
}

export interface CallResult {
  readonly call: DemoCall;
  /** Identifies the event later: it is sent as the request id. */
  readonly requestId: string;
  readonly status: number;
  readonly latencyMs: number;
  readonly answeredAtMs: number;
}

/** Sends one call and reads its whole answer; throws as fetch does if the gateway does not answer in 10 s. */
export async function sendCall(gatewayUrl: string, call: DemoCall): Promise<CallResult> {
  const requestId = randomUUID();
  const headers: Record<string, string> = { "zp-rid": requestId, "user-agent": "audit-forwarder-demo" };
  if (call.token) headers.authorization = `Bearer ${call.token}`;
  if (call.body !== undefined) headers["content-type"] = "application/json";
  if (call.path === "/mcp") headers.accept = "application/json, text/event-stream";
  const startedAtMs = performance.now();
  const response = await fetch(gatewayUrl + call.path, {
    method: call.method,
    headers,
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    signal: AbortSignal.timeout(10_000),
  });
  await response.arrayBuffer();
  const latencyMs = performance.now() - startedAtMs;
  return { call, requestId, status: response.status, latencyMs, answeredAtMs: Date.now() };
}
