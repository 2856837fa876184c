/** The floor: QStash's signature checked with WebCrypto, and the body, which is the event, sent on. Nothing less can deliver an event. */
import { Buffer } from "node:buffer";

interface Env {
  readonly WORKOS_API_KEY: string;
  readonly WORKOS_BASE_URL: string;
  readonly QSTASH_CURRENT_SIGNING_KEY: string;
  readonly AUDIT_WORKER_URL: string;
}

let imported: ReturnType<typeof crypto.subtle.importKey> | undefined;

function keyOf(env: Env) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  imported ??= crypto.subtle.importKey("raw", encode(env.QSTASH_CURRENT_SIGNING_KEY), algorithm, false, ["verify"]);
  return imported;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    if (!(await isSigned(request.headers.get("upstash-signature") ?? "", body, env))) {
      return new Response("bad signature", { status: 401 });
    }
    const answer = await fetch(`${env.WORKOS_BASE_URL}/audit_logs/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${env.WORKOS_API_KEY}`,
        "content-type": "application/json",
        "idempotency-key": request.headers.get("upstash-message-id") ?? "",
      },
      body,
    });
    await answer.text();
    return new Response(null, { status: answer.ok ? 200 : 503 });
  },
};

async function isSigned(token: string, body: Uint8Array<ArrayBuffer>, env: Env): Promise<boolean> {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const signed = encode(`${header}.${payload}`);
  if (!(await crypto.subtle.verify("HMAC", await keyOf(env), decode(signature), signed))) return false;
  const claims = JSON.parse(new TextDecoder().decode(decode(payload))) as Record<string, unknown>;
  const now = Date.now() / 1000;
  if (claims["iss"] !== "Upstash" || claims["sub"] !== `${env.AUDIT_WORKER_URL}/deliver`) return false;
  if (Number(claims["exp"]) < now || Number(claims["nbf"]) > now) return false;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const claimed = decode(String(claims["body"]));
  return hash.every((byte, index) => byte === claimed[index]);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function decode(base64Url: string): Uint8Array<ArrayBuffer> {
  return Buffer.from(base64Url, "base64url");
}
