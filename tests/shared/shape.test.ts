import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVENT_METADATA } from "../../shared/event.ts";
import { CUSTOM_METADATA_MAX_KEYS, METADATA_MAX_KEYS, RECORD_MAX_BYTES } from "../../shared/limits.ts";
import type { AuditRecord, Metadata } from "../../shared/record.ts";
import { shapeRecord } from "../../shared/shape.ts";

const RECORD: AuditRecord = {
  id: "01932b5e-7c1a-7d3e-9f00-3b1c2d4e5f60",
  stage: "outcome",
  occurredAtMs: 1,
  action: "a.b",
  actor: { id: "user_1", type: "user" },
  targets: [{ id: "t1", type: "team" }],
  method: "GET",
  route: "/r",
  outcome: "success",
  assurance: "best-effort",
  gateway: { isolateId: "i", policyVersion: "0" },
  sequence: 1,
};

const shaped = (change: Partial<AuditRecord>) => shapeRecord({ ...RECORD, ...change });
const keys = (count: number): Metadata => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));

describe("shapeRecord", () => {
  it("changes nothing of a record that fits", () => {
    expect(shapeRecord(RECORD)).toEqual({ record: RECORD, cuts: [] });
    const full = { ...RECORD, metadata: keys(CUSTOM_METADATA_MAX_KEYS), userAgent: "😀".repeat(500) };
    expect(shapeRecord(full)).toEqual({ record: full, cuts: [] });
  });

  it("cuts texts in code points, and hands out the whole", () => {
    const { record, cuts } = shaped({ userAgent: "😀".repeat(501), requestId: "r".repeat(129) });
    expect(record.userAgent).toBe("😀".repeat(500));
    expect(record.requestId).toHaveLength(128);
    expect(cuts).toEqual([
      { field: "userAgent", whole: "😀".repeat(501) },
      { field: "requestId", whole: "r".repeat(129) },
    ]);
  });

  it("cleans every text that goes to WorkOS, and marks it", () => {
    const bad = "a\u202Eb\0";
    const good = String.raw`a\u{202e}b `;
    const party = { id: bad, type: bad, name: bad, metadata: { a: bad } };
    const texts = { action: bad, route: bad, method: bad, organization: bad, ip: bad, userAgent: bad, requestId: bad };
    const { record, cuts } = shaped({
      ...texts,
      actor: party,
      targets: [party],
      metadata: { a: bad },
      geo: { country: bad, region: bad, city: bad },
      credential: { kind: bad, keyId: bad },
      missing: [bad],
    });
    expect(JSON.stringify(record)).not.toMatch(/[\u202E\0]|\\u0000/);
    expect(record).toMatchObject({
      ...Object.fromEntries(Object.keys(texts).map((key) => [key, good])),
      actor: { id: good, type: good, name: good, metadata: { a: good } },
      geo: { country: good, region: good, city: good },
      credential: { kind: good, keyId: good },
      missing: [good],
    });
    expect(cuts.map(({ field }) => field)).toEqual(
      expect.arrayContaining(["actor.name", "targets.0.id", "metadata.a", "userAgent", "geo.city", "missing"]),
    );
    expect(cuts).toHaveLength(22);
    expect(cuts.every(({ whole }) => whole === bad)).toBe(true);
  });

  it("cuts a text that invisible characters made longer", () => {
    const { record, cuts } = shaped({ userAgent: "\u200B".repeat(4_000) });
    expect(record.userAgent).toBe(String.raw`\u{200b}`.repeat(63).slice(0, 500));
    expect(cuts).toEqual([{ field: "userAgent", whole: "\u200B".repeat(4_000) }]);
  });

  it("makes metadata legal, keeps every key apart, and marks what it renamed or dropped", () => {
    const metadata = {
      "http.status": 200,
      http_status: 201,
      ["x".repeat(50)]: true,
      "": "empty",
      bad: Number.NaN,
    } as Metadata;
    const { record, cuts } = shaped({ metadata });
    expect(record.metadata).toEqual({ http_status: 200, http_status_2: 201, ["x".repeat(40)]: true, "": "empty" });
    expect(cuts.map(({ field }) => field)).toEqual([
      "metadata.http_status",
      "metadata.http_status_2",
      `metadata.${"x".repeat(40)}`,
      "metadata.bad",
    ]);
  });

  it("is not fooled by a key that is an object's own", () => {
    const metadata = JSON.parse('{"__proto__":"a","constructor":"b"}') as Metadata;
    expect(JSON.stringify(shaped({ metadata }).record.metadata)).toBe('{"__proto__":"a","constructor":"b"}');
  });

  it("keeps the first targets and keys, and marks the rest", () => {
    const targets = Array.from({ length: 25 }, (_, i) => ({
      id: `t${i}`,
      type: "team",
      metadata: keys(METADATA_MAX_KEYS + 1),
    }));
    const { record, cuts } = shaped({ targets: targets.slice(0, 1), metadata: keys(CUSTOM_METADATA_MAX_KEYS + 1) });
    expect(Object.keys(record.metadata ?? {})).toHaveLength(CUSTOM_METADATA_MAX_KEYS);
    expect(Object.keys(record.targets[0]?.metadata ?? {})).toHaveLength(METADATA_MAX_KEYS);
    expect(cuts.map(({ field }) => field)).toEqual(["targets.0.metadata", "metadata"]);
    expect(shaped({ targets }).record.targets.map(({ id }) => id)).toEqual(targets.slice(0, 20).map(({ id }) => id));
  });

  it("names nobody and nothing `unknown`", () => {
    const nothing = { id: "", type: "", name: "" };
    const { record } = shaped({ action: "", actor: nothing, targets: [nothing] });
    expect(record).toMatchObject({
      action: "unknown",
      actor: { id: "unknown", type: "unknown" },
      targets: [{ id: "unknown", type: "unknown" }],
    });
    expect(record.actor).not.toHaveProperty("name");
  });

  it("makes everything smaller together until the record fits, and who did what to which stays", () => {
    const long = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "x".repeat(500)]));
    const targets = Array.from({ length: 20 }, (_, i) => ({
      id: `target_${i}`,
      type: "team",
      name: "n".repeat(500),
      metadata: long(50),
    }));
    const { record, cuts } = shaped({
      targets,
      metadata: long(26),
      actor: { id: "user_1", type: "user", metadata: long(50) },
    });
    expect(Buffer.byteLength(JSON.stringify(record))).toBeLessThanOrEqual(RECORD_MAX_BYTES);
    expect(record).toMatchObject({ action: "a.b", actor: { id: "user_1" }, route: "/r" });
    expect(record.targets[0]?.id).toBe("target_0");
    expect(cuts.length).toBeGreaterThan(0);
  });

  it("asks for every text of the record what it must become, by its field, before it cuts", () => {
    const fields: string[] = [];
    const of: AuditRecord = {
      ...RECORD,
      organization: "o",
      ip: "1",
      userAgent: "u",
      requestId: "r",
      metadata: { a: "x", n: 7 },
      actor: { id: "a", type: "user", name: "A", metadata: { role: "r" } },
      geo: { country: "DE" },
      credential: { kind: "bearer", keyId: "k" },
      missing: ["$body.a"],
    };
    const { record } = shapeRecord(of, (text, field) => {
      fields.push(field);
      return field === "metadata.n" ? "seven" : text.toUpperCase();
    });
    expect(fields.toSorted()).toEqual(
      [
        "action actor.id actor.metadata.role actor.name actor.type credential.keyId credential.kind geo.country ip metadata.a metadata.n",
        "method missing organization requestId route targets.0.id targets.0.type userAgent",
      ].flatMap((line) => line.split(" ")),
    );
    expect(record).toMatchObject({ metadata: { a: "X", n: "seven" }, geo: { country: "DE" } });
  });

  it("is the same a second time", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary", maxLength: 700 })),
        (metadata) => {
          const { record } = shaped({ metadata });
          expect(shapeRecord(record)).toEqual({ record, cuts: [] });
        },
      ),
    );
  });
});

it("custom metadata and ours fit into WorkOS's limit together", () => {
  expect(CUSTOM_METADATA_MAX_KEYS + Object.keys(EVENT_METADATA).length).toBe(METADATA_MAX_KEYS);
});
