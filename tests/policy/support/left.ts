/** What one request leaves: its records and the gateway's log. */
import type { AuditRecord } from "../../../shared/record.ts";
import { type RequestInitOfTest, TestGateway } from "./gateway.ts";
import { World } from "./world.ts";

interface Left {
  readonly records: readonly AuditRecord[];
  readonly logs: readonly string[];
}

interface CallOfTest extends Omit<RequestInitOfTest, "body"> {
  /** An object is sent as JSON, a text as it stands. */
  readonly body?: unknown;
  readonly status?: number;
  /** What the API answers, likewise. */
  readonly answer?: unknown;
  readonly answerType?: string;
  readonly path?: string;
  readonly handlerOfRoute?: unknown;
}

/** Sends one request to a route with this `x-audit`, and waits until everything it leaves has been sent. */
export async function leave(
  xAudit: unknown,
  { body, status = 200, answer = {}, answerType = "application/json", path, handlerOfRoute, ...init }: CallOfTest = {},
  options: Readonly<Record<string, unknown>> = {},
): Promise<Left> {
  const world = new World();
  const gateway = new TestGateway(world, { coalesceMs: 0, ...options });
  const sent = textOf(body);
  const answered = status === 204 ? null : (textOf(answer) ?? null);
  await gateway.run(
    {
      method: sent === undefined ? "GET" : "POST",
      ...init,
      headers: { ...(sent === undefined ? {} : { "content-type": "application/json" }), ...init.headers },
      ...(sent === undefined ? {} : { body: sent }),
      handler: async (request) => {
        // As a handler does: what it reads, the policy's copy gets too.
        await request.text();
        return new Response(answered, { status, headers: { "content-type": answerType } });
      },
    },
    {
      ...(path === undefined ? {} : { path }),
      operation: { operationId: "op", "x-audit": xAudit, "x-zuplo-route": { handler: handlerOfRoute } },
    },
  );
  await world.advance(30_000);
  return { records: world.records(), logs: gateway.logs };
}

/** The only record of a request. */
export async function leaveOne(...call: Parameters<typeof leave>): Promise<AuditRecord> {
  const { records } = await leave(...call);
  const [record] = records;
  if (!record || records.length > 1) throw new Error(`${records.length} records`);
  return record;
}

function textOf(given: unknown): string | undefined {
  return given === undefined || typeof given === "string" ? given : JSON.stringify(given);
}
