/** Calls the worker's API with this tab's token, or without one if Cloudflare Access vouches for the person. */

/** Longer than any answer takes; ends the wait for a worker that is unreachable. */
const TIMEOUT_MS = 30_000;
const STORED_TOKEN = "audit-forwarder.token";

/** Why a call failed, in a sentence for the person. */
export class ApiFailure extends Error {
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** `code` of the problem document, or `no_answer`. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

let token = sessionStorage.getItem(STORED_TOKEN) ?? "";
let onUnauthorized = () => {};

/** Stores the token until the tab is closed. An empty token removes it. */
export function keepToken(given: string): void {
  token = given;
  if (given === "") sessionStorage.removeItem(STORED_TOKEN);
  else sessionStorage.setItem(STORED_TOKEN, given);
}

/** Calls `told` whenever the API answers 401. */
export function watchUnauthorized(told: () => void): void {
  onUnauthorized = told;
}

export const api = {
  get: <T>(path: string, timeoutMs?: number): Promise<T> => call("GET", path, undefined, timeoutMs),
  post: <T>(path: string, body: unknown = {}): Promise<T> => call("POST", path, body),
};

/** Returns the bytes of a file that the worker serves. Throws `ApiFailure`. */
export async function rawBytes(path: string): Promise<Uint8Array> {
  const response = await send("GET", path, undefined);
  if (!response.ok) throw await refusal(response);
  return new Uint8Array(await response.arrayBuffer());
}

/** Throws `ApiFailure`. */
async function call<T>(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<T> {
  const response = await send(method, path, body, timeoutMs);
  if (!response.ok) throw await refusal(response);
  return response.json().catch(() => {
    throw new ApiFailure(response.status, "unexpected", "Something other than the worker answered. Reload the page.");
  }) as Promise<T>;
}

async function refusal(response: Response): Promise<ApiFailure> {
  const json: unknown = await response.json().catch(() => undefined);
  const { code = "unexpected", detail } = (json ?? {}) as { code?: string; detail?: string };
  if (response.status === 401) onUnauthorized();
  return new ApiFailure(response.status, code, detail ? sentence(detail) : `The worker answered ${response.status}.`);
}

async function send(method: string, path: string, body: unknown, timeoutMs = TIMEOUT_MS): Promise<Response> {
  if (/[^\x20-\x7e]/.test(token)) {
    throw new ApiFailure(401, "unauthorized", "The token has characters that no token has. Copy it again.");
  }
  try {
    return await fetch(path, {
      method,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    throw new ApiFailure(0, "no_answer", "The worker does not answer. Check your connection, then try again.");
  }
}

/** Turns the API's messages, which are clauses, into sentences. */
function sentence(clause: string): string {
  const text = clause.charAt(0).toUpperCase() + clause.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Converts any error to an `ApiFailure`. */
export function failureOf(error: unknown): ApiFailure {
  return error instanceof ApiFailure ? error : new ApiFailure(0, "internal", "The console failed. Reload the page.");
}
