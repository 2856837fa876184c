/** What a route is, and what its handler gets. */
import type { Env, Settings } from "../env.ts";

/**
 * Who may call a route. `qstash`: a request that QStash signed. `webhook`: one that the policy signed with the ingest key.
 * `token`: an operator, by token or through Cloudflare Access. The pipeline checks it before the handler runs.
 */
export type Access = "anyone" | "qstash" | "webhook" | "token";

export interface RouteContext {
  /** For its headers. Read the body from `body`. */
  readonly request: Request;
  readonly url: URL;
  /** Path parameters, decoded by nobody. */
  readonly params: Readonly<Record<string, string>>;
  readonly env: Env;
  readonly settings: Settings;
  /** The operator who called a `token` route; empty on the others. */
  readonly operator: string;
  /** The whole body, no longer than the route allows and checked against its signature. Empty if the route takes none. */
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
