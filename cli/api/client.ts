/** Calls the worker's admin API; turns an unsuccessful answer into one clear error. */
import { setTimeout as sleep } from "node:timers/promises";
import type * as z from "zod";
import { baseUrl, isSecureUrl } from "../../shared/base-url.ts";
import { AuditError } from "../../shared/errors.ts";
import { fetchJson } from "../http/json-answer.ts";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";
import { failureOfAnswer, failureOfFetch } from "./failure.ts";

/** Query parameters; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Api {
  /** Retries up to twice while the worker is unreachable. */
  readonly get: <T>(schema: z.ZodType<T>, path: string, query?: Query) => Promise<T>;
  /** Asks once. Sends `body` as JSON; a string is sent unchanged with the given media type. */
  readonly post: <T>(schema: z.ZodType<T>, path: string, body?: unknown, mediaType?: string) => Promise<T>;
}

/** Longest time for one call; planning a replay of 100,000 takes under 5 s. Our choice. */
const TIMEOUT_MS = 60_000;
const GET_ATTEMPTS = 3;
const RETRY_DELAY_MS = 500;

/** Opens the API at `AUDIT_WORKER_URL` with `AUDIT_ADMIN_TOKEN`. Throws `WrongUse` if one of them is missing or malformed. */
export function openApi(io: Io): Api {
  const base = workerUrl(io);
  const token = io.env["AUDIT_ADMIN_TOKEN"];
  if (!token) throw new WrongUse('"AUDIT_ADMIN_TOKEN" is not set; export the token of the worker');
  const call = async (method: string, path: string, body?: string, mediaType?: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, ...(mediaType ? { "content-type": mediaType } : {}) };
    return send(base + path, { method, headers, ...(body === undefined ? {} : { body }) });
  };
  return {
    get: async (schema, path, query = {}) => parse(schema, await patiently(() => call("GET", path + toQuery(query)))),
    post: async (schema, path, body, mediaType = "application/json") =>
      parse(
        schema,
        body === undefined
          ? await call("POST", path)
          : await call("POST", path, typeof body === "string" ? body : JSON.stringify(body), mediaType),
      ),
  };
}

/**
 * Returns `AUDIT_WORKER_URL`, normalized. Throws `WrongUse` if it is missing, not a URL, or not https: the admin token travels
 * unencrypted only to this machine.
 */
export function workerUrl(io: Io): string {
  const text = io.env["AUDIT_WORKER_URL"];
  if (!text) throw new WrongUse('"AUDIT_WORKER_URL" is not set; export the URL of the worker');
  const url = baseUrl(text);
  if (url === undefined) throw new WrongUse('"AUDIT_WORKER_URL" is not an http or https URL');
  if (!isSecureUrl(url)) {
    throw new WrongUse('"AUDIT_WORKER_URL" must be https; http is for this machine only');
  }
  return url;
}

async function send(url: string, init: RequestInit): Promise<unknown> {
  const { ok, status, json, headers } = await fetchJson(url, init, TIMEOUT_MS).catch((cause: unknown) => {
    throw failureOfFetch(cause, new URL(url).origin, TIMEOUT_MS);
  });
  if (ok && json !== undefined) return json;
  throw failureOfAnswer(status, json, headers.get("retry-after"));
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const passing = error instanceof AuditError && error.code === "unavailable";
      if (!passing || attempt === GET_ATTEMPTS) throw error;
      await sleep(RETRY_DELAY_MS * attempt);
    }
  }
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new AuditError("internal", `the worker's answer has no valid "${field}"; do the worker and the CLI match?`);
}

function toQuery(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}
