/** For any request whatever: one record, that fits, that decodes as it was, and whose event WorkOS's published schema takes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schemaNamed } from "../../cli/workos/spec.ts";
import { EVENT_MAX_TARGETS, RECORD_MAX_BYTES } from "../../shared/limits.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { enrich } from "../../worker/enrichment.ts";
import { type RequestInitOfTest, TestGateway } from "./support/gateway.ts";
import { recordsIn, World } from "./support/world.ts";

const judge = schemaNamed("AuditLogEventIngestionDto");

const nasty = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "\r\nSet-Cookie: a=b",
    "a\0b",
    "\ud800",
    "\udfff!",
    "x".repeat(20_000),
    "😀".repeat(600),
    "__proto__",
    "",
    " ",
  ),
);
const scalar = fc.oneof(nasty, fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
const data = fc.dictionary(
  fc.oneof(nasty, fc.constantFrom("name", "role", "keyId", "org")),
  fc.oneof(scalar, fc.array(scalar)),
);
const selector = fc.constantFrom(
  "$user.sub",
  "$user.data.org",
  "$user.data.name?",
  "$params.id",
  "$query.q!",
  "$header.x-any",
  "$body.a",
  "$body.list",
  "$response.status",
  "$response.header.x-out",
  "$response.body.a",
  "$nonsense",
  "$header.authorization",
);
const leaf = fc.oneof(selector, scalar, fc.array(fc.oneof(selector, nasty), { maxLength: 3 }), fc.anything());
const metadata = fc.oneof(fc.dictionary(nasty, leaf, { maxKeys: 60 }), leaf);
const party = fc.oneof(fc.record({ id: leaf, type: leaf, name: leaf, metadata }, { requiredKeys: [] }), fc.anything());
const xAudit = fc.oneof(
  fc.record(
    {
      action: leaf,
      organization: leaf,
      actor: party,
      targets: fc.oneof(fc.array(party, { maxLength: 30 }), fc.anything()),
      metadata,
      skip: fc.constantFrom(false, 0, undefined),
      assurance: fc.constantFrom("best-effort", "durable", "required", "none", 3),
    },
    { requiredKeys: [] },
  ),
  fc.anything().filter((value) => value !== false && !(typeof value === "object" && value !== null && "skip" in value)),
);
const headerValue = fc
  .oneof(fc.string({ unit: "grapheme-ascii" }), fc.constant("h".repeat(1_000_000)))
  .map((text) => text.trim());
const bodyText = fc.oneof(
  fc.json(),
  fc.constant(JSON.stringify({ a: "x".repeat(2_000), list: Array.from({ length: 10_000 }, (_, i) => i) })),
  fc.constant("{broken"),
);

const request = fc.record<RequestInitOfTest>({
  method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"),
  headers: fc.record({
    "user-agent": headerValue,
    "x-any": headerValue,
    traceparent: fc.oneof(headerValue, fc.constant(`00-${"a".repeat(32)}-${"b".repeat(16)}-01`)),
    authorization: fc.oneof(headerValue, fc.constant("Bearer eyJraWQiOiJrMSJ9.e30.c2ln")),
    "content-type": fc.constantFrom(
      "application/json",
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
    ),
  }),
  user: fc.oneof(
    fc.constant(undefined),
    fc.record({ sub: fc.oneof(scalar, fc.anything()), data: fc.oneof(data, fc.anything()) }),
  ) as fc.Arbitrary<NonNullable<RequestInitOfTest["user"]>>,
  params: fc.dictionary(fc.constantFrom("id", "teamId"), nasty),
  requestId: nasty,
  properties: fc.oneof(data, fc.record({ ip: scalar, country: scalar, city: scalar })),
});

async function recordOf(init: RequestInitOfTest, body: string, route: unknown, options = {}): Promise<AuditRecord[]> {
  const world = new World();
  const gateway = new TestGateway(world, { coalesceMs: 0, ...options });
  const withBody = init.method === "GET" || init.method === "HEAD" ? init : { ...init, body };
  await gateway.run(
    {
      ...withBody,
      handler: () => new Response(body, { headers: { "content-type": "application/json", "x-out": "1" } }),
    },
    { operation: { operationId: "op", "x-audit": route } },
  );
  await world.advance(1_000);
  return world.records();
}

// oxlint-disable-next-line no-control-regex -- these must not be there
const CONTROL = /[\0-\x1f\x7f-\x9f]/;

/** Every text of a value, keys included. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => [key, ...textsIn(field)]);
}

describe("any request whatever", () => {
  it("leaves a record whose event passes the published schema", async () => {
    await fc.assert(
      fc.asyncProperty(request, bodyText, xAudit, async (init, body, route) => {
        const records = await recordOf(init, body, route);
        const outcomes = records.filter(({ stage }) => stage === "outcome");
        expect(outcomes).toHaveLength(1);
        for (const record of records) {
          const event = enrich({ organization: "org_x", ...record });
          expect(judge(event), JSON.stringify(judge.errors)).toBe(true);
          expect(record.targets.length).toBeLessThanOrEqual(EVENT_MAX_TARGETS);
          // This would mean that making the record failed, and that a bare one took its place.
          expect(record.missing ?? []).not.toContain("record");
          const { truncated: _marks, ...rest } = record;
          expect(Buffer.byteLength(JSON.stringify(rest))).toBeLessThanOrEqual(RECORD_MAX_BYTES);
          expect(textsIn(record).filter((text) => CONTROL.test(text) || !text.isWellFormed())).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("makes a record that is the same after the queue", async () => {
    await fc.assert(
      fc.asyncProperty(request, bodyText, xAudit, async (init, body, route) => {
        const [record] = await recordOf(init, body, route);
        if (!record) throw new Error("no record");
        expect(recordsIn(JSON.stringify(encodeMessage([record, record])))).toEqual([record, record]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("the client's address", () => {
  async function recordWith(ip: unknown): Promise<AuditRecord | undefined> {
    const world = new World();
    await new TestGateway(world).run({ properties: { ip } });
    await world.advance(100);
    return world.records()[0];
  }

  it.each(["203.0.113.7", "2001:db8::7"])("%s is kept", async (ip) => {
    const record = await recordWith(ip);
    expect(record?.ip).toBe(ip);
    expect(record).not.toHaveProperty("missing");
  });

  it.each(["<b>x</b>", "203.0.113.7, 10.0.0.1", "unknown", 7])("%j is none, and is named as missing", async (ip) => {
    const record = await recordWith(ip);
    expect(record).not.toHaveProperty("ip");
    expect(record?.missing).toEqual(["ip"]);
  });
});

describe("what is cut is marked", () => {
  const many = Array.from({ length: 10_000 }, (_, i) => ({ id: `item_${i}`, type: "item" }));

  it("10,000 targets", async () => {
    const [record] = await recordOf({ method: "POST" }, "{}", { targets: many });
    expect(record?.targets).toHaveLength(EVENT_MAX_TARGETS);
    expect(record?.truncated?.[0]).toMatch(/^targets:[0-9a-f]{32}$/);
  });

  it("a header of 1 MB, and ids that are no strings", async () => {
    const [record] = await recordOf(
      {
        method: "POST",
        headers: { "x-any": "h".repeat(1_000_000) },
        user: { sub: 42, data: { name: ["no"], role: 7 } },
      },
      "{}",
      { targets: [{ id: "$header.x-any", type: "thing" }], metadata: { n: Number.POSITIVE_INFINITY, deep: { a: 1 } } },
    );
    expect(record?.actor).toEqual({ id: "42", type: "user", metadata: { role: "7" } });
    expect(record?.targets[0]?.id).toBe("h".repeat(500));
    expect(record?.truncated?.[0]).toMatch(/^targets\.0\.id:[0-9a-f]{32}$/);
    expect(record?.metadata).toBeUndefined();
  });

  it("sixty metadata keys of 500 emoji each", async () => {
    const metadata = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`key ${i}`, "😀".repeat(500)]));
    const [record] = await recordOf({ method: "POST", user: { sub: "user_1" } }, "{}", {
      metadata,
      targets: [{ id: "t1", type: "t" }],
    });
    expect(record?.actor.id).toBe("user_1");
    expect(record?.targets).toEqual([{ id: "t1", type: "t" }]);
    expect(Object.keys(record?.metadata ?? {}).every((key) => /^[a-zA-Z0-9_-]{1,40}$/.test(key))).toBe(true);
    expect(record?.truncated?.length).toBeGreaterThan(0);
    expect(record?.truncated?.length).toBeLessThanOrEqual(21);
  });
});
