/** Who may use the admin routes: `Authorization: Bearer <AUDIT_ADMIN_TOKEN>`, or a person whom Cloudflare Access has let in. */
import type { Settings } from "../variables.ts";
import { accessIdentity } from "./access.ts";
import { problemAnswer } from "./answers.ts";

/** The bearer token says no more than this. */
const TOKEN_HOLDER = "admin";

const EXPECTED = '"authorization" must be "Bearer <AUDIT_ADMIN_TOKEN>"';

export type Admission = { readonly operator: string } | { readonly refusal: Response };

/** Who is at work, for receipts and audit events, or the refusal (401 `unauthorized`). A token given must be right, whoever signed in. */
export async function admit(request: Request, settings: Settings): Promise<Admission> {
  const query = new URL(request.url).searchParams;
  if (["token", "access_token", "admin_token"].some((name) => query.has(name))) {
    return refusal('a token in the query is refused; send it in the "authorization" header');
  }
  const header = request.headers.get("authorization");
  if (header === null) {
    const person = await accessIdentity(request, settings);
    return person === undefined ? refusal(EXPECTED) : { operator: person };
  }
  const given = /^Bearer (.+)$/i.exec(header)?.[1];
  if (given === undefined) return refusal(EXPECTED);
  const isRight = await equalInConstantTime(given, settings.AUDIT_ADMIN_TOKEN);
  return isRight ? { operator: TOKEN_HOLDER } : refusal('the token in "authorization" is wrong');
}

function refusal(detail: string): Admission {
  return { refusal: problemAnswer(401, "unauthorized", "Unauthorized", detail, { "www-authenticate": "Bearer" }) };
}

/** Compares digests, so that neither the length nor the first difference shows in the time. */
async function equalInConstantTime(left: string, right: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [left, right].map((text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
  );
  return crypto.subtle.timingSafeEqual(a as ArrayBuffer, b as ArrayBuffer);
}
