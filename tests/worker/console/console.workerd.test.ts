/** The console's files: the same for everyone, without data, and allowed nothing but this worker. */
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

const worker = exports as unknown as { default: { fetch: typeof fetch } };
const get = async (path: string, init: RequestInit = {}) => {
  const response = await worker.default.fetch(`https://worker.example${path}`, init);
  return { response, text: await response.text() };
};

it.each([
  "/console",
  "/console/",
  "/console/dead-letters?class=rejected",
  "/console/events/%F0%9F%98%80",
  "/console/x.y",
])("answers %s with the application, without data or secrets", async (path) => {
  const { response, text } = await get(path);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(text).toBe((await get("/console/")).text);
  for (const secret of ["test-admin-token", "sk_test", "whsec_", "test_qstash_token"])
    expect(text).not.toContain(secret);
});

it("allows only its own files and API, in no frame", async () => {
  const { response, text } = await get("/console/");
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; /);
  expect(new Set(policy.match(/'[^']+'/g))).toEqual(new Set(["'none'", "'self'"]));
  expect(policy.replaceAll(/'[^']+'/g, "")).not.toMatch(/[:*]/);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(text).not.toMatch(/ (style|on\w+)=|<style|<script>|https?:/);
});

it("serves each file that the page names, and asks again only whether it has changed", async () => {
  const { text } = await get("/console/");
  const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const path of files) {
    const { response } = await get(path);
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const etag = response.headers.get("etag") ?? "";
    expect((await get(path, { headers: { "if-none-match": etag } })).response.status).toBe(304);
  }
});

describe("what is not there", () => {
  it("answers 404 for a file that the build did not make", async () => {
    expect((await get("/console/gone.js")).response.status).toBe(404);
  });

  it("takes only GET and HEAD", async () => {
    const { response, text } = await get("/console/", { method: "POST" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET");
    expect(JSON.parse(text)).toMatchObject({ code: "method_not_allowed" });
    expect((await get("/console/", { method: "HEAD" })).response.status).toBe(200);
  });
});
