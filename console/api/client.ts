/** Calls the worker's API with this tab's token, or without one if Cloudflare Access vouches for the person. */

/** Longer than any answer takes; ends the wait for a worker that is unreachable. */
const TIMEOUT_MS = 30_000;
const STORED_TOKEN = "audit-forwarder.token";
/**
 * Makes Cloudflare Access answer 401 instead of redirecting when its session has ended.
 * https://developers.cloudflare.com/cloudflare-one/access-controls/access-settings/session-management/
 */
const ASKS_FOR_401 = { "x-requested-with": "XMLHttpRequest" };

/** Why a call failed, in a sentence for the person. */
export class ApiFailure extends Error {
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** `code` of the problem document, `access_ended` if Cloudflare Access refused the call, or `no_answer`. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

let token = sessionStorage.getItem(STORED_TOKEN) ?? "";
let onUnauthorized = (_failure: ApiFailure) => {};

/** Stores the token until the tab is closed. An empty token removes it. */
export function keepToken(given: string): void {
  token = given;
  if (given === "") sessionStorage.removeItem(STORED_TOKEN);
  else sessionStorage.setItem(STORED_TOKEN, given);
}

/** True if calls are made with a token; otherwise only Cloudflare Access can vouch for the person. */
export function hasToken(): boolean {
  return token !== "";
}

/** Calls `told` whenever the API or Cloudflare Access in front of it no longer knows the person. */
export function watchUnauthorized(told: (failure: ApiFailure) => void): void {
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
  const { code, detail } = (json ?? {}) as { code?: string; detail?: string };
  const failure = isFromAccess(response, code)
    ? new ApiFailure(401, "access_ended", "Your session has ended. Reload the page to sign in again.")
    : new ApiFailure(
        response.status,
        code ?? "unexpected",
        detail ? sentence(detail) : `The worker answered ${response.status}.`,
      );
  if (failure.status === 401) onUnauthorized(failure);
  return failure;
}

/** Without a session, Access answers 401 or redirects to its sign-in. The worker never redirects, and its 401 has a `code`. */
function isFromAccess(response: Response, code: string | undefined): boolean {
  return response.type === "opaqueredirect" || (response.status === 401 && code === undefined);
}

async function send(method: string, path: string, body: unknown, timeoutMs = TIMEOUT_MS): Promise<Response> {
  if (/[^\x20-\x7e]/.test(token)) {
    throw new ApiFailure(401, "unauthorized", "A token cannot contain some of these characters. Copy it again.");
  }
  try {
    return await fetch(path, {
      method,
      headers: { ...ASKS_FOR_401, ...(token && { authorization: `Bearer ${token}` }) },
      // A redirect leads to the sign-in of Access, which no script can follow.
      redirect: "manual",
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
