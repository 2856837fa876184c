/** One request whose answer may be JSON. */

export interface JsonAnswer {
  readonly ok: boolean;
  readonly status: number;
  /** Undefined if the body is not JSON. */
  readonly json: unknown;
  readonly headers: Headers;
}

/** Fetches JSON without following redirects, because the token is only for this server. Rejects if there is no answer within `timeoutMs`. */
export async function fetchJson(url: string, init: RequestInit, timeoutMs: number): Promise<JsonAnswer> {
  const response = await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
  const text = await response.text();
  const { ok, status, headers } = response;
  return { ok, status, json: parse(text), headers };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
