/** A route, and what its handler receives. */
import type { Role } from "../../shared/access-tokens.ts";
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import type { Operator } from "./caller.ts";

/**
 * Who may call a route. `qstash`: a request that QStash signed. `webhook`: one that the policy signed with the ingest key. A role:
 * an operator with that role or a higher one, by token or through Cloudflare Access. The pipeline checks it before the handler runs.
 */
export type Access = "anyone" | "qstash" | "webhook" | Role;

export interface RouteContext {
  /** For its headers. Take the body from `body`. */
  readonly request: Request;
  readonly url: URL;
  /** Path parameters, still percent-encoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly env: Env;
  readonly settings: Settings;
  /** The operator who called; nobody on a route that is not for operators. */
  readonly operator: Operator;
  /** Keeps the invocation alive for work after the response, for 30 s at most. */
  readonly later: (work: Promise<unknown>) => void;
  /** When the request came, ms since the epoch. */
  readonly receivedMs: number;
  /** The whole body, within the route's limit and checked against its signature. Empty if the route accepts none. */
  readonly body: Uint8Array;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** URLPattern pathname, such as `/api/events/:event_id`. */
  readonly path: string;
  readonly access: Access;
  /** Longest body in bytes. Without it, no body is read. */
  readonly bodyMaxBytes?: number;
  /** Returns the answer, or throws an `AuditError` with a code that `problem.ts` lists. */
  readonly handle: (context: RouteContext) => Promise<Response> | Response;
}
