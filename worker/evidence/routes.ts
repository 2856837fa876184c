/** `GET /evidence/<path>`: serves the log, its leaves and anchors from the bucket. */
import { AuditError } from "../../shared/errors.ts";
import type { Route, RouteContext } from "../http/route.ts";
import { mediaType } from "./bucket.ts";

const ROOT = "/evidence/";

export const evidenceRoutes: readonly Route[] = [
  { method: "GET", path: `${ROOT}:path+`, access: "read", handle: serveEvidence },
];

async function serveEvidence({ env, url, request }: RouteContext): Promise<Response> {
  const { EVIDENCE: bucket } = env;
  if (!bucket) throw new AuditError("not_found", 'no evidence is kept: the bucket "EVIDENCE" is not bound');
  const path = url.pathname.slice(ROOT.length);
  const type = mediaType(path);
  if (type === undefined) throw new AuditError("not_found", "there is no such evidence");
  const headers = { "content-type": type, "cache-control": "no-store", "x-content-type-options": "nosniff" };
  if (request.method === "HEAD") {
    const head = await bucket.head(path);
    if (head) return new Response(null, { headers: { ...headers, "content-length": String(head.size) } });
  } else {
    const object = await bucket.get(path);
    if (object) return new Response(object.body, { headers });
  }
  throw new AuditError("not_found", "there is no such evidence");
}
