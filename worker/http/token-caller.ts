/** An operator: `Authorization: Bearer <AUDIT_ADMIN_TOKEN>`, or a person who signed in through Cloudflare Access. */
import { RefusedCall, type Caller, type CallerPorts } from "./caller.ts";
import { accessIdentity } from "./cloudflare-access.ts";

/** The name of whoever holds the token, because the token names nobody. */
const TOKEN_HOLDER = "admin";

/** The reason of a refusal that a guess would cause. */
export const WRONG_TOKEN = "wrong_token";

const EXPECTED = '"authorization" must be "Bearer <AUDIT_ADMIN_TOKEN>"';

/** Throws `unauthorized` unless an operator calls. A token that is sent must be right, whoever signed in. */
export async function tokenCaller(request: Request, { settings }: Pick<CallerPorts, "settings">): Promise<Caller> {
  const query = new URL(request.url).searchParams;
  if (["token", "access_token", "admin_token"].some((name) => query.has(name))) {
    throw refusal('a token in the query is refused; send it in the "authorization" header');
  }
  const header = request.headers.get("authorization");
  if (header === null) {
    const person = await accessIdentity(request, settings);
    if (person === undefined) throw refusal(EXPECTED);
    return operator(person);
  }
  const token = /^Bearer (.+)$/i.exec(header)?.[1];
  if (token === undefined) throw refusal(EXPECTED);
  if (!(await equalInConstantTime(token, settings.AUDIT_ADMIN_TOKEN))) {
    throw refusal('the token in "authorization" is wrong', WRONG_TOKEN);
  }
  return operator(TOKEN_HOLDER);
}

function operator(name: string): Caller {
  return { operator: name };
}

function refusal(detail: string, reason = "missing"): RefusedCall {
  return new RefusedCall("unauthorized", detail, reason);
}

/** Compares digests, so that neither the length nor the first difference shows in the time. */
async function equalInConstantTime(left: string, right: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [left, right].map((text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
  );
  return crypto.subtle.timingSafeEqual(a as ArrayBuffer, b as ArrayBuffer);
}
