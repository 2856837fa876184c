/** What is uploaded: small, traceable, and the same worker. */
import { SourceMap, type SourceMapPayload } from "node:module";
import { gzipSync } from "node:zlib";
import { Webhook } from "standardwebhooks";
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { ME_FIELDS } from "../../shared/api.ts";
import { REPLAY_FIELDS } from "../../shared/replay-answers.ts";
import { RUNTIME, uploadedWorker, type UploadedWorker } from "../../worker/build.ts";
import { decode, encode } from "../../worker/native/base64.ts";
import { hmac } from "../../worker/native/sha256.ts";
import { INGEST_KEY, startDirect } from "./support/direct.ts";
import { messageOf, recordOf } from "./support/records.ts";

/**
 * What the worker has today, rounded up, so that it does not grow unnoticed; Cloudflare's smallest plan takes 3 MB. Our budget is 80 kB:
 * the history and the evidence put it 9 kB above, and the benchmark page marks it as missed.
 */
const UPLOAD_MAX_GZIP_BYTES = 90_000;

let uploaded: UploadedWorker;
beforeAll(async () => {
  uploaded = await uploadedWorker();
});

it("runs here in the runtime that wrangler.toml names", async () => {
  const config = await readFile(new URL("../../wrangler.toml", import.meta.url), "utf8");
  const [, date] = /^compatibility_date = "(.*)"$/m.exec(config) ?? [];
  const [, flags] = /^compatibility_flags = (\[.*\])$/m.exec(config) ?? [];
  expect({ compatibilityDate: date, compatibilityFlags: JSON.parse(flags ?? "null") as unknown }).toEqual(RUNTIME);
});

describe("the upload", () => {
  it("has no more than 90 kB after gzip", () => {
    expect(gzipSync(uploaded.code).byteLength).toBeLessThanOrEqual(UPLOAD_MAX_GZIP_BYTES);
  });

  it("holds no text that only the docs show", () => {
    expect(uploaded.code).not.toContain(ME_FIELDS.name.about);
    expect(uploaded.code).not.toContain(REPLAY_FIELDS.id.about);
  });

  it("leads from its columns to our lines", async () => {
    const message = "was made with another key";
    const map = new SourceMap(JSON.parse(uploaded.map) as SourceMapPayload);
    const before = uploaded.code.slice(0, uploaded.code.indexOf(message)).split("\n");
    const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
    expect(entry).toMatchObject({ originalSource: "worker/signature.ts" });
    const source = await readFile(new URL("../../worker/signature.ts", import.meta.url), "utf8");
    const line = "originalLine" in entry ? source.split("\n")[entry.originalLine] : undefined;
    expect(line).toContain(message);
  });

  it("holds no second SHA-256 and no second base64", () => {
    const { sources } = JSON.parse(uploaded.map) as { sources: string[] };
    const packages = new Set(sources.flatMap((source) => /node_modules\/([^/]+)/.exec(source)?.[1] ?? []));
    expect([...packages].toSorted()).toEqual(["jose", "standardwebhooks", "zod"]);
  });

  it("delivers, takes a spilled message, and refuses what is signed wrongly", async () => {
    const direct = await startDirect({ code: uploaded.code });
    try {
      const delivered = recordOf();
      expect(await direct.deliver([delivered])).toMatchObject({ status: 200 });
      expect(await direct.admin("GET", `/api/events/${delivered.id}`)).toMatchObject({ json: { state: "delivered" } });
      const spilled = recordOf();
      const body = messageOf(spilled);
      const ingest = (key: string) => {
        const at = new Date();
        const headers = {
          "webhook-id": "spill_1",
          "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
          "webhook-signature": new Webhook(key).sign("spill_1", at, body),
        };
        return fetch(`${direct.url}/ingest`, { method: "POST", headers, body });
      };
      expect((await ingest(INGEST_KEY)).status).toBe(202);
      expect((await ingest("whsec_YW5vdGhlciBrZXkgdGhhdCBpcyB3cm9uZw==")).status).toBe(401);
      expect((await direct.post(body, "e30.e30.e30")).status).toBe(401);
      expect((await direct.admin("GET", "/api/dead-letters?limit=0")).status).toBe(400);
    } finally {
      await direct.stop();
    }
  });
});

describe("the platform's own code in place of standardwebhooks' packages", () => {
  it("signs alike", () => {
    const key = new TextEncoder().encode("key");
    const data = new TextEncoder().encode("The quick brown fox jumps over the lazy dog");
    // https://en.wikipedia.org/wiki/HMAC#Examples
    expect(Buffer.from(hmac(key, data)).toString("hex")).toBe(
      "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
    );
  });

  it.each([[""], ["A"], ["AB"], ["ABC"], ["\u0000\u00ff\u007f"]])("encodes and decodes %j", (text) => {
    const bytes = Buffer.from(text, "latin1");
    expect(encode(bytes)).toBe(bytes.toString("base64"));
    expect(Buffer.from(decode(encode(bytes)))).toEqual(bytes);
  });

  it.each(["Q", "QUJDRA=", "QUJD=", "Q!=="])("refuses %j", (text) => {
    expect(() => decode(text)).toThrow("not base64");
  });
});
