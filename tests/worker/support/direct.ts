/** The worker in workerd with the WorkOS stand-in and the development queue, delivered to by hand. */
import { startQueue } from "../../../dev/queue/server.ts";
import type { WorkerOptions } from "../../../dev/worker.ts";
import { startWorkos } from "../../../dev/workos/server.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import { startBuiltWorker } from "./built-worker.ts";
import { publishedBody } from "./published.ts";
import { sign } from "./sign.ts";
import { ADMIN_TOKEN, workerVariables } from "./variables.ts";

export { sign, type SignOptions } from "./sign.ts";
export { ADMIN_TOKEN, INGEST_KEY } from "./variables.ts";

interface Delivered {
  readonly status: number;
  readonly headers: Headers;
  // A test reads what it needs; a wrong shape fails there.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export type Direct = Awaited<ReturnType<typeof startDirect>>;

export async function startDirect(options: Partial<WorkerOptions> = {}) {
  const workos = await startWorkos();
  const queue = await startQueue({ path: ":memory:" });
  const lines: string[] = [];
  const vars = { ...workerVariables(workos, queue), ...options.vars };
  const worker = await startBuiltWorker({ ...options, vars, onLog: (line) => lines.push(line) });
  const { url } = worker;

  const post = async (body: string | Uint8Array, token: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/deliver`, {
      method: "POST",
      body: typeof body === "string" ? body : Buffer.from(body),
      headers: { "content-type": "application/json", "upstash-signature": token, ...headers },
    });
    return answerOf(response);
  };

  return {
    workos,
    queue,
    worker,
    url,
    /** Lines of the worker's log that are JSON, parsed. */
    log: () => lines.flatMap(parseLine),
    post,
    /** Delivers a body or records as QStash does. */
    async deliver(what: string | Uint8Array | readonly AuditRecord[], headers: Record<string, string> = {}) {
      const body = typeof what === "string" || what instanceof Uint8Array ? what : await publishedBody(what);
      const token = await sign(body, { key: queue.currentSigningKey, url: `${url}/deliver` });
      return post(body, token, { "upstash-message-id": "msg_1", "upstash-retried": "0", ...headers });
    },
    async admin(method: string, path: string, body?: unknown): Promise<Delivered> {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
      const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
      return answerOf(await fetch(`${url}${path}`, init));
    },
    async stop() {
      await worker.stop();
      await queue.stop();
      await workos.stop();
    },
  };
}

async function answerOf(response: Response): Promise<Delivered> {
  const text = await response.text();
  const json: unknown = response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, json };
}

function parseLine(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}
