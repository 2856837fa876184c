/** Calls the WorkOS API with `WORKOS_API_KEY`; waits out its rate limit, and names what it rejects. */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import { parseRetryAfter } from "../../shared/outcome.ts";
import { fetchJson } from "../http/json-answer.ts";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";

export interface Workos {
  readonly get: (path: string, query?: Readonly<Record<string, string>>) => Promise<unknown>;
  readonly post: (path: string, body: unknown) => Promise<unknown>;
}

const TIMEOUT_MS = 30_000;
/** WorkOS allows 6,000 requests in 60 s. https://workos.com/docs/reference/rate-limits */
const RATE_LIMIT_PAUSE_MS = 2000;
const ATTEMPTS = 5;

/** The API at `WORKOS_BASE_URL`, by default the real one. Throws `WrongUse` without a key. */
export function openWorkos(io: Io): Workos {
  const key = io.env["WORKOS_API_KEY"];
  if (!key) throw new WrongUse('"WORKOS_API_KEY" is not set; export the API key of the WorkOS environment');
  const base = (io.env["WORKOS_BASE_URL"] || "https://api.workos.com").replace(/\/+$/, "");
  if (!URL.canParse(base)) throw new WrongUse('"WORKOS_BASE_URL" is not a URL');
  const call = (method: string, path: string, body?: unknown) =>
    patiently(async () => {
      const init = {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      };
      return send(base + path, init);
    });
  return {
    get: (path, query = {}) => {
      const search = new URLSearchParams(query).toString();
      return call("GET", search === "" ? path : `${path}?${search}`);
    },
    post: (path, body) => call("POST", path, body),
  };
}

type Result = { readonly json: unknown } | { readonly retryAfterMs: number };

async function patiently(ask: () => Promise<Result>): Promise<unknown> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const result = await ask();
    if ("json" in result) return result.json;
    await sleep(result.retryAfterMs);
  }
  throw new AuditError("unavailable", "WorkOS limits the rate of requests; try again in a minute");
}

async function send(url: string, init: RequestInit): Promise<Result> {
  const { ok, status, json, headers } = await fetchJson(url, init, TIMEOUT_MS).catch((cause: unknown) => {
    throw new AuditError("unavailable", `WorkOS at ${new URL(url).origin} does not answer`, { cause });
  });
  if (ok && json !== undefined) return { json };
  if (status === 429) {
    return { retryAfterMs: parseRetryAfter(headers.get("retry-after"), Date.now()) ?? RATE_LIMIT_PAUSE_MS };
  }
  throw failureOf(status, json);
}

/** WorkOS refused the arguments: 404, 400, 422. Other statuses concern the key or WorkOS itself. */
function failureOf(status: number, json: unknown): AuditError {
  if (status === 401) return new AuditError("unauthorized", 'WorkOS refuses "WORKOS_API_KEY"');
  if (status === 403) return new AuditError("unauthorized", '"WORKOS_API_KEY" has no permission for audit logs');
  if (status === 404) return new AuditError("not_found", reasonOf(json) ?? "WorkOS does not know it");
  if (status >= 400 && status < 500) {
    return new AuditError("rejected", `WorkOS refuses it: ${reasonOf(json) ?? `status ${status}`}`);
  }
  return new AuditError("unavailable", `WorkOS answers ${status}; try again later`);
}

const Issue = z.looseObject({ code: z.string().optional(), field: z.string().optional() });
const Refusal = z.looseObject({
  message: z.union([z.string(), z.array(z.string())]).optional(),
  errors: z.array(Issue).optional(),
});

/** The message, and the fields that it concerns. */
function reasonOf(json: unknown): string | undefined {
  const refusal = Refusal.safeParse(json);
  if (!refusal.success) return undefined;
  const { message, errors = [] } = refusal.data;
  const fields = errors.map(({ code, field }) => [field, code].filter(Boolean).join(" ")).filter(Boolean);
  const text = [message].flat().filter(Boolean).join(" ");
  return fields.length > 0 ? `${text} (${fields.join(", ")})` : text || undefined;
}
