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
          metadata: {
            source: '$header["X-Source"]',
            sku: "$body.items[0].sku",
            below: "$body.password.value",
            listed: "$body.tokens[0]",
            card: "$body.card",
            encoded: "$body.encoded",
            key: "$body.key",
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
