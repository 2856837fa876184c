/** What a record says, what `x-audit` makes of it, and what never leaves the gateway. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHmac, randomUUID } from "node:crypto";
import { POLICY_VERSION } from "../../policy/version.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { type Called, type CallInit, type Harness, startHarness } from "./harness.ts";
import { type Situation, VARIABLE_OPTIONS } from "./routes.ts";
import { everythingIn } from "./sink.ts";
import { waitUntil } from "./wait.ts";

const PSEUDONYM_SECRET = Buffer.alloc(32, 9);

const invoice = {
  action: "invoice.created",
  organization: ["$user.data.org", "org_literal"],
  actor: {
    id: "$user.sub",
    type: "$user.data.kind",
    name: ["$user.data.email?", "$user.data.login"],
    metadata: { plan: "$user.data.plan" },
  },
  targets: [
    { id: "$response.body.invoice.id", type: "invoice" },
    { id: "$params.teamId", type: "team", name: "$body.team.name" },
  ],
  metadata: {
    reason: "$body.reason",
    page: "$query.page",
    source: "$header.x-source",
    status: "$response.status",
    where: "$response.header.location",
    total: "$response.body.invoice.total",
    first: "$body.items.0.sku",
    money: "$$5",
    fixed: true,
    count: 3,
  },
};

const situations: Readonly<Record<string, Situation>> = {
  bare: { method: "POST", path: "/bare/{id}", after: ["auth"], operationId: "bare things" },
  full: {
    method: "POST",
    path: "/teams/{teamId}/invoices",
    handler: "json",
    after: ["auth"],
    xAudit: invoice,
  },
  gathered: {
    method: "POST",
    path: "/gathered/{teamId}/invoices",
    handler: "json",
    policy: "gathered",
    after: ["auth"],
    xAudit: invoice,
  },
  missing: {
    method: "POST",
    after: ["auth"],
    xAudit: {
      organization: "$user.data.org!",
      targets: [{ id: "$body.target", type: "thing" }],
      metadata: {
        list: "$body.list",
        object: "$body.object",
        quiet: "$body.quiet?",
        nothing: "$query.nothing",
        proto: "$body.constructor.name",
      },
    },
  },
  wrong: {
    method: "POST",
    after: ["auth"],
    xAudit: {
      action: "wrong.route",
      colour: "red",
      metadata: { auth: "$header.authorization", cookie: "$response.header.set-cookie", typo: "$usr.sub" },
    },
  },
  described: { path: "/described/{id}", policy: "described", after: ["auth"] },
  large: { handler: "large", xAudit: { targets: [{ id: "$response.body.invoice.id", type: "invoice" }] } },
  private: {
    method: "POST",
    after: ["auth"],
    policy: "private",
    xAudit: { metadata: { email: "$body.email", note: "$body.note", phone: "$body.phone" } },
  },
};

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    situations,
    options: { coalesceMs: 0, timeoutMs: 5_000 },
    policies: {
      // Goes out when as many have come, however slow the machine is.
      gathered: { options: { ...VARIABLE_OPTIONS, coalesceMs: 5_000, timeoutMs: 5_000, maxRecords: 15 } },
      described: { module: "described", export: "describedAuditLog" },
      private: {
        options: {
          ...VARIABLE_OPTIONS,
          coalesceMs: 0,
          timeoutMs: 5_000,
          pseudonymize: ["$body.email", "actor.id", "ip"],
          pseudonymKeys: "$env(AUDIT_PSEUDONYM_KEYS)",
          redact: ["phone"],
          omit: ["userAgent", "requestId"],
        },
      },
    },
    env: {
      AUDIT_PSEUDONYM_KEYS: `k2:${PSEUDONYM_SECRET.toString("base64")},k1:${Buffer.alloc(32, 1).toString("base64")}`,
    },
  });
});
afterAll(() => harness?.stop());
beforeEach(() => harness.sink.reset());

function pseudonym(value: string): string {
  const mac = createHmac("sha256", PSEUDONYM_SECRET).update(value).digest();
  return `ps_k2_${mac.subarray(0, 16).toString("base64url")}`;
}

const REDACTED_RID = "rid [redacted]";

/** Sends a request and finds its record by the request id, so that a late one of another test is not taken for it. */
async function answerAndRecord(path: string, init: CallInit = {}): Promise<{ answer: Called; record: AuditRecord }> {
  const requestId = init.headers?.["zp-rid"] ?? randomUUID();
  const answer = await harness.call("ours", path, { ...init, headers: { ...init.headers, "zp-rid": requestId } });
  const isOurs = (one: AuditRecord) => [requestId, undefined, REDACTED_RID].includes(one.requestId);
  const [record] = await harness.sink.waitForRecords(isOurs);
  if (!record) throw new Error("no record");
  return { answer, record };
}

async function recordOf(path: string, init: CallInit = {}): Promise<AuditRecord> {
  return (await answerAndRecord(path, { method: "POST", ...init })).record;
}

const JSON_TYPE = { "content-type": "application/json" };

describe("with no configuration", () => {
  it("says who did what where, when, how it ended and from where", async () => {
    const before = Date.now();
    const record = await recordOf("/bare/7?secret=1", {
      headers: {
        "x-test-user": "user_1",
        "x-test-data": '{"name":"Ada","role":"admin","keyId":"key_7"}',
        authorization: "Bearer abc.def",
        "user-agent": "sdk/1.0",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      },
      body: "unselected",
    });
    expect(record).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      stage: "outcome",
      occurredAtMs: expect.any(Number),
      durationMs: expect.any(Number),
      action: "ours-bare_things",
      organization: "org_default",
      actor: { id: "user_1", type: "user", name: "Ada", metadata: { role: "admin" } },
      targets: [{ id: "/ours/bare/{id}", type: "route" }],
      method: "POST",
      route: "/ours/bare/{id}",
      status: 200,
      outcome: "success",
      ip: "127.0.0.1",
      userAgent: "sdk/1.0",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      assurance: "best-effort",
      credential: { kind: "bearer", keyId: "key_7" },
      gateway: {
        isolateId: expect.stringMatching(/^[\w-]{8}$/),
        policyVersion: POLICY_VERSION,
        environment: "local",
        build: expect.any(String),
      },
      sequence: expect.any(Number),
    });
    expect(record.occurredAtMs).toBeGreaterThanOrEqual(before);
    expect(record.occurredAtMs).toBeLessThanOrEqual(Date.now());
  });

  it("is small: at most 400 bytes alone in its message", async () => {
    const { requestId = "" } = await recordOf("/bare/7", {
      headers: {
        "x-test-user": "user_01EHWNC0FCBHZ3BJ7EGKYXK0E6",
        "user-agent":
          "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
      },
    });
    expect(harness.sink.of(requestId)[0]?.body.length).toBeLessThanOrEqual(400);
  });
});

describe("x-audit", () => {
  it("takes values from the user, the path, the query, headers and both bodies", async () => {
    const record = await recordOf("/teams/team_3/invoices?page=2", {
      headers: {
        ...JSON_TYPE,
        "x-test-user": "key_1",
        "x-test-data": '{"org":"org_9","kind":"api_key","login":"ada","plan":"pro"}',
        "x-source": "cli",
      },
      body: '{"reason":"upgrade","team":{"name":"Blue"},"items":[{"sku":"s1"}]}',
    });
    expect(record).toMatchObject({
      action: "invoice.created",
      organization: "org_9",
      actor: { id: "key_1", type: "api_key", name: "ada", metadata: { plan: "pro" } },
      targets: [
        { id: "inv_9", type: "invoice" },
        { id: "team_3", type: "team", name: "Blue" },
      ],
    });
    expect(record.metadata).toEqual({
      reason: "upgrade",
      page: "2",
      source: "cli",
      status: 201,
      where: "/invoices/inv_9",
      total: 12.5,
      first: "s1",
      money: "$5",
      fixed: true,
      count: 3,
    });
    expect(record).not.toHaveProperty("missing");
  });

  it("changes nothing of the bodies it selects from", async () => {
    const init = { method: "POST", headers: JSON_TYPE, body: '{"reason":"x"}' };
    const plain = await harness.call("plain", "/teams/t/invoices", init);
    const ours = await harness.call("ours", "/teams/t/invoices", init);
    expect([ours.status, ours.body]).toEqual([plain.status, plain.body]);
    expect({ ...ours.headers, date: "", "zp-rid": "" }).toEqual({ ...plain.headers, date: "", "zp-rid": "" });
  });

  it("reads forms", async () => {
    const record = await recordOf("/teams/t/invoices", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "reason=by+form",
    });
    expect(record.metadata).toMatchObject({ reason: "by form" });
    harness.sink.reset();
    const boundary = "xyz";
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="reason"\r\n\r\nby parts\r\n--${boundary}--\r\n`;
    const parts = await recordOf("/teams/t/invoices", {
      headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
      body,
    });
    expect(parts.metadata).toMatchObject({ reason: "by parts" });
  });

  it.each([
    ["a text body", { "content-type": "text/plain" }, "reason=1"],
    ["a broken JSON body", JSON_TYPE, "{"],
    ["a body above the limit", JSON_TYPE, JSON.stringify({ reason: "x".repeat(120_000) })],
    ["no body", JSON_TYPE, undefined],
  ])("marks what is missing with %s, and the answer is the API's", async (_name, headers, body) => {
    const init = { method: "POST", headers, ...(body === undefined ? {} : { body }) };
    const plain = await harness.call("plain", "/teams/t/invoices", init);
    const { answer, record } = await answerAndRecord("/teams/t/invoices", init);
    expect([answer.status, answer.body]).toEqual([plain.status, plain.body]);
    expect(record.missing).toContain("$body.reason");
    expect(record.organization).toBe("org_literal");
  });

  it("marks what does not resolve or is no scalar, never guesses an organization, and never throws", async () => {
    const record = await recordOf("/missing", { headers: JSON_TYPE, body: '{"list":[1],"object":{"a":1}}' });
    expect(record).not.toHaveProperty("organization");
    expect(record.targets).toEqual([{ id: "unknown", type: "thing" }]);
    expect(record).not.toHaveProperty("metadata");
    expect(record.missing).toEqual([
      "$user.data.org",
      "$body.target",
      "$body.list",
      "$body.object",
      "$query.nothing",
      "$body.constructor.name",
    ]);
  });

  it("refuses credential headers and names that it does not know, in one line of the log", async () => {
    const record = await recordOf("/wrong", { headers: { authorization: "Bearer canary-credential" } });
    await recordOf("/wrong");
    expect(record.missing).toEqual(["$header.authorization", "$response.header.set-cookie", "$usr.sub"]);
    const named = () => harness.lines('"metadata.auth"');
    await waitUntil(() => named().length > 0);
    const lines = named();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(
      '"metadata.auth" has "$header.authorization", which is not a selector, or selects a credential',
    );
    expect(lines[0]).toContain('"x-audit.colour" is not known');
    expect(lines[0]).toContain('"metadata.typo" has "$usr.sub", which is not a selector');
  });

  it("leaves a large response alone", async () => {
    const { answer, record } = await answerAndRecord("/large");
    expect(answer.body).toHaveLength((await harness.call("plain", "/large")).body.length);
    expect(record.missing).toEqual(["$response.body.invoice.id"]);
  });
});

describe("describe, for users who write TypeScript", () => {
  it("says in code what selectors cannot", async () => {
    expect((await answerAndRecord("/described/rep_1")).record).toMatchObject({
      action: "report.exported",
      targets: [{ id: "rep_1", type: "report", metadata: { status: 200 } }],
      metadata: { custom: "{}" },
    });
  });

  it("is marked where it throws, and the caller does not notice", async () => {
    const { answer, record } = await answerAndRecord("/described/rep_1?fail=1");
    expect(answer.status).toBe(200);
    expect(record).toMatchObject({ missing: ["describe"], action: "ours-described" });
  });
});

describe("privacy", () => {
  it("makes keyed pseudonyms of chosen values, and drops what is to be redacted or omitted", async () => {
    const body = JSON.stringify({ email: "ada@example.com", note: "call me", phone: "555-1234" });
    const record = await recordOf("/private", { headers: { ...JSON_TYPE, "x-test-user": "user_1" }, body });
    expect(record.actor.id).toBe(pseudonym("user_1"));
    expect(record.ip).toBe(pseudonym("127.0.0.1"));
    expect(record.metadata).toEqual({ email: pseudonym("ada@example.com"), note: "call me", phone: "[redacted]" });
    expect(record).not.toHaveProperty("userAgent");
    expect(record).not.toHaveProperty("requestId");
  });

  it("lets no canary out, wherever it was planted, alone in a message or packed with others", async () => {
    const canary = "c4n4ry-9f3b27";
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify({ sub: canary })).toString("base64url")}.c2lnbmF0dXJl`;
    const headers = {
      ...JSON_TYPE,
      authorization: `Bearer ${canary}`,
      cookie: `session=${canary}`,
      "x-api-key": canary,
      "x-source": `token=${canary}`,
      "x-any-header": canary,
      "user-agent": `agent Bearer ${canary}`,
      "zp-rid": `rid ${jwt}`,
      referer: `https://x.test/?k=${canary}`,
      "x-test-user": `user:${jwt}`,
      "x-test-data": JSON.stringify({
        org: "org_1",
        name: `Ada password=${canary}`,
        apiKey: canary,
        kind: "user",
        login: jwt,
        plan: `https://u:${canary}@host/`,
      }),
    };
    const body = JSON.stringify({
      reason: `my key is sk_live_${canary.replaceAll("-", "")}abcdef0123`,
      password: canary,
      team: { name: `-----BEGIN RSA PRIVATE KEY-----\n${canary}\n-----END RSA PRIVATE KEY-----` },
      items: [{ sku: "4111 1111 1111 1111", secret: canary }],
    });
    const path = `/${jwt}/invoices?page=${encodeURIComponent(`access_token=${canary}`)}&api_key=${canary}`;
    const record = await recordOf(`/teams${path}`, { headers, body });
    const alone = harness.sink.received.map(everythingIn);
    await Promise.all(Array.from({ length: 15 }, () => recordOf(`/gathered${path}`, { headers, body })));
    await harness.sink.waitForRecords(({ route }) => route.includes("/invoices"), 16);
    const packed = harness.sink.received.filter((one) => one.body.includes('"d":"')).map(everythingIn);
    // The search sees what is in a message, so that it would see a canary there.
    for (const seen of [alone, packed]) expect(seen.join("\n")).toContain("my key is [redacted]");
    const sent = harness.sink.received.map(everythingIn).join("\n");
    const encoded = [canary, canary.replaceAll("-", ""), Buffer.from(canary).toString("base64"), jwt, "4111"];
    for (const secret of encoded) expect(sent).not.toContain(secret);
    expect(harness.gateway.logs()).not.toContain(canary);
    // It is seen that something was there.
    expect(record.metadata).toMatchObject({
      reason: "my key is [redacted]",
      first: "[redacted]",
      source: "[redacted]",
    });
    expect(record.actor.id).toMatch(/^sha256_[0-9a-f]{32}$/);
  });
});
