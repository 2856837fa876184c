import { type ZuploContext, ZuploRequest } from "@zuplo/runtime";

/** The example's callers; a real API has Zuplo's API-key or JWT policy here. */
const CALLERS: Readonly<Record<string, { name: string; email: string; role: string }>> = {
  ada: { name: "Ada Lovelace", email: "ada@example.com", role: "admin" },
  grace: { name: "Grace Hopper", email: "grace@example.com", role: "member" },
};

/** Makes `Authorization: Bearer ada` the user `usr_ada`; other callers get 401, or stay anonymous if that is allowed. */
export async function signIn(request: ZuploRequest, _context: ZuploContext, options: { anonymous?: boolean }) {
  const token = /^Bearer (\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const caller = CALLERS[token];
  if (caller) return new ZuploRequest(request, { user: { sub: `usr_${token}`, data: caller } });
  if (options.anonymous) return request;
  return Response.json({ title: "Unauthorized", detail: "sign in with a bearer token" }, { status: 401 });
}
