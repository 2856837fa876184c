/** Secrets that stand below another name, beside other digits, or encoded: nothing of them leaves the real gateway. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";
import { everythingIn } from "./sink.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    situations: {
      deep: {
        method: "POST",
        after: ["auth"],
        xAudit: {
          organization: '$user.data["https://auth.example.com/org"]',
          targets: [
            { id: "$body.items[0].sku", type: "item" },
            { id: "$body.password.value", type: "secret" },
            { id: "$body.query?", type: "search" },
          ],
          metadata: {
            source: '$header["X-Source"]',
            sku: "$body.items[0].sku",
            below: "$body.password.value",
            listed: "$body.tokens[0]",
            card: "$body.card",
            encoded: "$body.encoded",
            key: "$body.key",
            note: "$body.note?",
            azure: "$body.azure?",
          },
        },
      },
    },
    options: {
      coalesceMs: 0,
      pseudonymize: ["$user.sub"],
      pseudonymKeys: `k1:${Buffer.alloc(32, 9).toString("base64")}`,
    },
  });
});
afterAll(() => harness?.stop());

it("are redacted, and what stands beside them is not", async () => {
  const body = JSON.stringify({
    items: [{ sku: "sku_1" }],
    password: { value: "c4n4ry-value" },
    tokens: ["c4n4ry-token"],
    card: "4111 1111 1111 1111 12/26",
    encoded: "password%3Dc4n4ry",
    key: "-----BEGIN+PRIVATE+KEY-----c4n4ry",
  });
  const headers = {
    "content-type": "application/json",
    "x-source": "cli",
    "x-test-user": "c4n4ry-user",
    "x-test-data": JSON.stringify({ "https://auth.example.com/org": "org_claim" }),
  };
  await harness.call("ours", "/deep", { method: "POST", headers, body });
  const [record] = await harness.sink.waitForRecords(() => true);
  expect(record).toMatchObject({ organization: "org_claim", actor: { id: expect.stringMatching(/^ps_k1_/) } });
  expect(record).not.toHaveProperty("missing");
  expect(record?.metadata).toEqual({
    source: "cli",
    sku: "sku_1",
    below: "[redacted]",
    listed: "[redacted]",
    card: "[redacted]/26",
    encoded: "[redacted]",
    key: "[redacted]",
  });
  expect(harness.sink.received.map(everythingIn).join()).not.toMatch(/c4n4ry|4111/);
});

it("leave an id as its pseudonym, and only an address as the client's, in readable text, however the caller tries", async () => {
  const body = JSON.stringify({
    items: [{ sku: "sku_2" }],
    password: { value: "c4n4ry-value" },
    query: "42;token=c4n4ry",
    note: "ad\u200Bmin \u202Egpj.exe",
    azure: "AccountName=acme;AccountKey=c4n4ry+c4n4ry==;EndpointSuffix=core.windows.net",
  });
  const headers = {
    "content-type": "application/json",
    "x-source": "second",
    "x-test-user": "pwd=mallory@example.com",
    "user-agent": "eyJ-".repeat(1_000),
    "true-client-ip": "<b>c4n4ry</b>",
  };
  await harness.call("ours", "/deep", { method: "POST", headers, body });
  const records = await harness.sink.waitForRecords((record) => record.metadata?.["source"] === "second");
  const record = records.at(-1);
  const pseudonym = expect.stringMatching(/^ps_k1_[\w-]{22}$/);
  expect(record?.targets.map(({ id }) => id)).toEqual(["sku_2", pseudonym, pseudonym]);
  expect(record?.targets[1]?.id).not.toBe(record?.targets[2]?.id);
  expect(record?.actor.id).toEqual(pseudonym);
  expect(record?.ip ?? "absent").not.toContain("<");
  expect(record?.metadata).toMatchObject({
    note: String.raw`ad\u{200b}min \u{202e}gpj.exe`,
    azure: "AccountName=acme;[redacted];EndpointSuffix=core.windows.net",
  });
  expect(record?.truncated?.join()).toMatch(/metadata\.note:/);
  expect(harness.sink.received.map(everythingIn).join()).not.toMatch(/c4n4ry/);
});
