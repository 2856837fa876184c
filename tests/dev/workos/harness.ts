/** Verbs the stand-in's tests share. */
import { onTestFinished } from "vitest";
import { startWorkos, type WorkosOptions, type WorkosStandIn } from "../../../dev/workos/server.ts";

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a foreign body, read field by field in assertions
  readonly json: any;
}

/** A stand-in that stops when the test ends. */
export async function started(options: WorkosOptions = {}): Promise<WorkosStandIn> {
  const standIn = await startWorkos(options);
  onTestFinished(() => standIn.stop());
  return standIn;
}

export function eventBody(
  id: string,
  event: Record<string, unknown> = {},
  organization = "org_1",
): Record<string, unknown> {
  return {
    organization_id: organization,
    event: {
      action: "team.member_added",
      occurred_at: "2026-11-24T10:00:00.000Z",
      actor: { id: "user_1", type: "user" },
      targets: [{ id: "team_1", type: "team" }],
      context: { location: "203.0.113.9" },
      metadata: { event_id: id },
      ...event,
    },
  };
}

interface Sending {
  readonly key?: string | undefined;
  readonly apiKey?: string | null;
  readonly method?: string;
  readonly signal?: AbortSignal;
}

/** Sends any body to any path with the accepted API key; a string goes out as it is. */
export async function call(standIn: WorkosStandIn, path: string, body?: unknown, sending: Sending = {}): Promise<Got> {
  const headers = new Headers({ "content-type": "application/json" });
  const apiKey = sending.apiKey === undefined ? standIn.apiKey : sending.apiKey;
  if (apiKey !== null) headers.set("authorization", `Bearer ${apiKey}`);
  if (sending.key !== undefined) headers.set("idempotency-key", sending.key);
  const response = await fetch(standIn.url + path, {
    method: sending.method ?? (body === undefined ? "GET" : "POST"),
    headers,
    redirect: "manual",
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(sending.signal && { signal: sending.signal }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function postEvent(standIn: WorkosStandIn, body: unknown, sending: Sending = {}): Promise<Got> {
  return call(standIn, "/audit_logs/events", body, sending);
}

/** The event ids in order of commit. */
export function storedIds(standIn: WorkosStandIn): unknown[] {
  return standIn.events().map(({ event }) => event.metadata["event_id"]);
}
