/** `GET /console` and below: the operator's application. Its static assets hold no data; the API provides it. */
import type { PlatformEnv } from "../env.ts";
import { problemAnswer } from "../http/answers.ts";

const PAGE = "/console/index.html";
const FILE = /^\/console\/[a-z-]+\.(?:js|css|svg)$/;

/**
 * The page may run, load and request only this worker's own files and API, and no other site may frame it.
 * https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cache-control": "no-cache",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
};

/**
 * Answers a request for the console, or returns undefined for any other path. It needs no variable, so that the console can say
 * which one is missing. An address below `/console` that is not a file gets the page, which shows that address's view.
 */
export function consoleSite(request: Request, env: PlatformEnv): Promise<Response> | Response | undefined {
  const url = new URL(request.url);
  if (url.pathname !== "/console" && !url.pathname.startsWith("/console/")) return undefined;
  if (request.method !== "GET" && request.method !== "HEAD") {
    const allow = "GET";
    return problemAnswer(405, "method_not_allowed", "Method not allowed", `this route takes ${allow}`, { allow });
  }
  if (!env.ASSETS) {
    return problemAnswer(404, "not_found", "Not found", 'the console was not deployed; "[assets]" is missing');
  }
  return fileOf(request, env.ASSETS, new URL(FILE.test(url.pathname) ? url.pathname : PAGE, url));
}

async function fileOf(request: Request, assets: Fetcher, url: URL): Promise<Response> {
  const known = request.headers.get("if-none-match");
  const answer = await assets.fetch(url, {
    method: request.method,
    ...(known === null ? {} : { headers: { "if-none-match": known } }),
  });
  const made = new Response(answer.body, answer);
  for (const [name, value] of Object.entries(HEADERS)) made.headers.set(name, value);
  return made;
}
