/** Who may use the admin routes: `Authorization: Bearer <AUDIT_ADMIN_TOKEN>`, compared in constant time. */
import { problemAnswer } from "./answers.ts";

/** Undefined where the caller is the admin, otherwise the refusal (401 `unauthorized`). A token in the query is refused as such. */
export async function refuseUnlessAdmin(request: Request, adminToken: string): Promise<Response | undefined> {
  const query = new URL(request.url).searchParams;
  if (["token", "access_token", "admin_token"].some((name) => query.has(name))) {
    return refusal('a token in the query is refused; send it in the "authorization" header');
  }
  const given = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given === undefined) return refusal('"authorization" must be "Bearer <AUDIT_ADMIN_TOKEN>"');
  return (await equalInConstantTime(given, adminToken)) ? undefined : refusal('the token in "authorization" is wrong');
}

function refusal(detail: string): Response {
  return problemAnswer(401, "unauthorized", "Unauthorized", detail, { "www-authenticate": "Bearer" });
}

/** Compares digests, so that neither the length nor the first difference shows in the time. */
async function equalInConstantTime(left: string, right: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [left, right].map((text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
  );
  return crypto.subtle.timingSafeEqual(a as ArrayBuffer, b as ArrayBuffer);
}
