/** The worker's API inside workerd, with the real bindings. */
import { env, exports } from "cloudflare:workers";
import { deadLetters } from "../../../worker/dead-letters/client.ts";
import { environmentOf, type PlatformEnv } from "../../../worker/env.ts";

export const ADMIN_TOKEN = "test-admin-token-0000001";

export const workerEnv = environmentOf(env as unknown as PlatformEnv);
export const deadLetterObject = () => deadLetters(workerEnv);

interface Answered {
  readonly status: number;
  // A test reads what it needs; a wrong shape fails there.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const worker = exports as unknown as { default: { fetch: typeof fetch } };
  const response = await worker.default.fetch(`https://worker.example${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

export const get = (path: string) => call("GET", path);
export const post = (path: string, body: unknown = {}) => call("POST", path, body);
