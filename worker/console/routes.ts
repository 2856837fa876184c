/** `GET /console`: a static page without data; what it shows comes from the API, with the token that is typed in. */
import { toBase64 } from "../../shared/bytes.ts";
import type { Route } from "../http/route.ts";
import page from "./console.html";

export const consoleRoutes: readonly Route[] = [
  { method: "GET", path: "/console", access: "anyone", handle: () => consoleAnswer() },
];

async function consoleAnswer(): Promise<Response> {
  return new Response(page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": await policyOf(page),
      "cache-control": "no-cache",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

/** Only the page's own script and style may run, named by their hashes; it may talk to this worker alone, in no frame. */
async function policyOf(html: string): Promise<string> {
  const script = await hashOf(html, "script");
  const style = await hashOf(html, "style");
  return [
    "default-src 'none'",
    `script-src '${script}'`,
    `style-src '${style}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

async function hashOf(html: string, element: "script" | "style"): Promise<string> {
  const text = html.split(`<${element}>`)[1]?.split(`</${element}>`)[0] ?? "";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `sha256-${toBase64(digest)}`;
}
