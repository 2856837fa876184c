/** The console: a static page that carries no data and may run nothing but itself. */
import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";

const worker = exports as unknown as { default: { fetch: typeof fetch } };
const page = async (path = "/console") => {
  const response = await worker.default.fetch(`https://worker.example${path}`);
  return { response, html: await response.text() };
};

it("is served to anyone, the same for everyone, without data or secrets", async () => {
  const { response, html } = await page();
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect((await page("/console?token=x")).html).toBe(html);
  for (const secret of ["test-admin-token", "sk_test", "whsec_", "test_qstash_token"])
    expect(html).not.toContain(secret);
});

it("allows only its own script and style, by hash", async () => {
  const { response, html } = await page();
  const policy = response.headers.get("content-security-policy") ?? "";
  for (const element of ["script", "style"]) {
    const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(html)?.[1] ?? "";
    expect(text.length).toBeGreaterThan(100);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    expect(policy).toContain(`${element}-src 'sha256-${btoa(String.fromCharCode(...digest))}'`);
  }
  for (const part of ["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'"])
    expect(policy).toContain(part);
  expect(policy).not.toContain("unsafe");
  expect(html).not.toMatch(
    / (style|on\w+)=|<script |<link|src=|innerHTML|localStorage|sessionStorage|document\.cookie/,
  );
});
