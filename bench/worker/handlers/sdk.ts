/** What one would write with the official SDKs: `Receiver` checks the signature, `@workos-inc/node` sends each event of the message. */
import { Receiver } from "@upstash/qstash";
import { WorkOS } from "@workos-inc/node";

interface Env {
  readonly WORKOS_API_KEY: string;
  readonly WORKOS_BASE_URL: string;
  readonly QSTASH_CURRENT_SIGNING_KEY: string;
  readonly QSTASH_NEXT_SIGNING_KEY: string;
  readonly AUDIT_WORKER_URL: string;
}

export interface SdkMessage {
  readonly events: readonly {
    readonly id: string;
    readonly organization: string;
    readonly event: { readonly occurredAt: string } & Readonly<Record<string, unknown>>;
  }[];
}

let clients: { readonly receiver: Receiver; readonly workos: WorkOS } | undefined;

function clientsOf(env: Env) {
  clients ??= {
    receiver: new Receiver({
      currentSigningKey: env.QSTASH_CURRENT_SIGNING_KEY,
      nextSigningKey: env.QSTASH_NEXT_SIGNING_KEY,
    }),
    workos: new WorkOS(env.WORKOS_API_KEY, {
      apiHostname: new URL(env.WORKOS_BASE_URL).hostname,
      port: Number(new URL(env.WORKOS_BASE_URL).port),
      https: false,
    }),
  };
  return clients;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { receiver, workos } = clientsOf(env);
    const body = await request.text();
    const signature = request.headers.get("upstash-signature") ?? "";
    try {
      await receiver.verify({ signature, body, url: `${env.AUDIT_WORKER_URL}/deliver` });
    } catch {
      return new Response("bad signature", { status: 401 });
    }
    const { events } = JSON.parse(body) as SdkMessage;
    try {
      await Promise.all(
        events.map(({ id, organization, event }) =>
          workos.auditLogs.createEvent(organization, { ...event, occurredAt: new Date(event.occurredAt) } as never, {
            idempotencyKey: id,
          }),
        ),
      );
    } catch {
      return new Response("not delivered", { status: 503 });
    }
    return new Response("delivered");
  },
};
