import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mintEventId } from "../../shared/event-id.ts";
import { type AuditRecord, outcomeOfStatus } from "../../shared/record.ts";
import { packMessage } from "../../shared/packed.ts";
import { decodeRecord, encodeMessage, type WireMessage } from "../../shared/wire.ts";
import { packId, packUserAgent, unpackId, unpackUserAgent } from "../../shared/wire-text.ts";
import { anyRecord as record } from "./any-record.ts";

function throughTheQueue(records: readonly AuditRecord[]): AuditRecord[] {
  const message = JSON.parse(JSON.stringify(encodeMessage(records))) as WireMessage;
  return message.records.map((one) => decodeRecord(one, message.g));
}

describe("the codec", () => {
  it("gives back every record as it was, alone and in company", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.boolean(), (records, twice) => {
        const sent = twice ? [...records, ...records] : records;
        expect(throughTheQueue(sent)).toEqual(sent);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps `v`, `records` and the whole event id where everybody finds them", () => {
    const [one] = fc.sample(record, { numRuns: 1, seed: 7 });
    if (!one) throw new Error("no sample");
    const message = JSON.parse(JSON.stringify(encodeMessage([one]))) as { v: number; records: { id: string }[] };
    expect(message).toMatchObject({ v: 1, records: [{ id: one.id }] });
  });
});

const MAC =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

function typical(i: number): AuditRecord {
  const occurredAtMs = Date.UTC(2026, 10, 24) + i;
  const digits = String(i).padStart(2, "0");
  return {
    id: mintEventId(
      occurredAtMs,
      Uint8Array.from({ length: 9 }, (_, byte) => byte * 31 + i),
      7,
    ),
    stage: "outcome",
    occurredAtMs,
    durationMs: 12 + i,
    action: "member.invited",
    organization: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
    actor: { id: `user_01EHWNC0FCBHZ3BJ7EGKYXK0${digits}`, type: "user" },
    targets: [{ id: `team_01EHWNCE74X7JSDV0X3SZ3K${digits}`, type: "team" }],
    method: "POST",
    route: "/v1/teams/{teamId}/members",
    status: 201,
    outcome: outcomeOfStatus(201),
    ip: `203.0.113.${i}`,
    userAgent: MAC,
    requestId: `0b7e7d4a-1f5a-4c39-9a53-2d6f9c1f0a${digits}`,
    assurance: "best-effort",
    gateway: { isolateId: "k3J9sQ2x", policyVersion: "0.1.0" },
    sequence: 128 + i,
  };
}

describe("bytes of a typical record", () => {
  const message = (count: number) => encodeMessage(Array.from({ length: count }, (_, i) => typical(i)));

  it("are at most 400 alone and at most 200 with 19 others", async () => {
    expect(JSON.stringify(message(1)).length).toBeLessThanOrEqual(400);
    const packed = await packMessage(message(20), async (text) => deflateRawSync(text));
    expect(packed.length / 20).toBeLessThanOrEqual(200);
  });
});

describe("the packed form", () => {
  it("keeps `v`, `records`, event ids and stages in sight, and nothing else", async () => {
    const records = [typical(1), { ...typical(2), stage: "intent" as const }];
    const packed = JSON.parse(await packMessage(encodeMessage(records), async (text) => deflateRawSync(text))) as {
      d: string;
    };
    expect(packed).toEqual({
      v: 1,
      records: [{ id: records[0]?.id }, { id: records[1]?.id, k: "i" }],
      d: expect.stringMatching(/^[\w-]+$/),
    });
  });

  it("is at worst a third longer than the plain one, and the ids", async () => {
    const random = { ...typical(1), metadata: { noise: Buffer.from(randomBytes(6_000)).toString("latin1") } };
    const message = encodeMessage([random, random]);
    const packed = await packMessage(message, async (text) => deflateRawSync(text, { level: 0 }));
    expect(packed.length).toBeLessThan(Buffer.byteLength(JSON.stringify(message)) * (4 / 3) + 2 * 60);
  });

  it("rejects where the platform cannot deflate", async () => {
    const deflate = () => Promise.reject(new Error("no deflate"));
    await expect(packMessage(encodeMessage([typical(1)]), deflate)).rejects.toThrow("no deflate");
  });
});

describe("what no encoder of ours wrote", () => {
  const g = ["i", "0"];
  const good = { id: "job", t: 1, c: [1, 5, 200, 1, "/r", "a.b", 0, "user", ["t", "team"]] };

  it("is a record only where everything needed is there", () => {
    expect(decodeRecord(good, g)).toMatchObject({
      id: "job",
      route: "/r",
      actor: { id: "user", type: "user" },
    });
  });

  it.each<[string, object]>([
    ["no `c`", { c: undefined }],
    ["`c` that is no list", { c: { 0: 1 } }],
    ["no action", { c: [1, 5, 200, 1, "/r"] }],
    ["an action of null", { c: [1, 5, 200, 1, "/r", null] }],
    ["an action that is a number", { c: [1, 5, 200, 1, "/r", 2] }],
    ["a route that is a number", { c: [1, 5, 200, 1, -1, "a"] }],
    ["a method of no number", { c: [1, 5, 200, 99, "/r", "a"] }],
    ["a status that is a text", { c: [1, 5, "200", 1, "/r", "a"] }],
    ["a sequence that is a text", { c: ["1", 5, 200, 1, "/r", "a"] }],
    ["a duration that is a list", { c: [1, [], 200, 1, "/r", "a"] }],
    ["an actor that is an object", { c: [1, 5, 200, 1, "/r", "a", 0, {}] }],
    ["an actor without an id", { c: [1, 5, 200, 1, "/r", "a", 0, []] }],
    ["targets that are a text", { c: [1, 5, 200, 1, "/r", "a", 0, 0, "team"] }],
    ["metadata that nests", { m: { a: { b: 1 } } }],
    ["metadata that is a text", { m: "a" }],
    ["metadata that is a number", { m: 1 }],
    ["a credential of no known number", { c: [1, 5, 200, 1, "/r", "a", 0, 0, 0, 0, 0, 0, -99] }],
    ["a missing selector that is a number", { j: [1] }],
    ["no time", { t: undefined }],
    ["a time that is a text", { t: "now" }],
    ["a packed id of a wrong length", { c: [1, 5, 200, 1, "/r", "a", 0, 0, 0, 0, 0, "~AAAA"] }],
    ["a packed id of a wrong digit", { c: [1, 5, 200, 1, "/r", "a", 0, 0, 0, 0, 0, "~!!!!"] }],
    ["a credential of no kind", { c: [1, 5, 200, 1, "/r", "a", 0, 0, 0, 0, 0, 0, [null]] }],
  ])("throws for %s", (_name, change) => {
    expect(() => decodeRecord({ ...good, ...change }, g)).toThrow(Error);
  });
});

describe("short forms", () => {
  it("of ids and user agents are reversed exactly", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.uuid(),
          fc.constantFrom("~", "~~", "~abc", `00-${"0".repeat(32)}-${"0".repeat(16)}-00`),
        ),
        (id) => {
          expect(unpackId(packId(id))).toBe(id);
          expect(unpackUserAgent(packUserAgent(id))).toBe(id);
        },
      ),
    );
    for (const agent of [
      MAC,
      MAC.replace("Chrome/", "\x7fChrome/"),
      "\x7fa",
      "\x7f\x7fa",
      `${MAC}${MAC}`,
      "curl/8.5.0",
    ]) {
      expect(unpackUserAgent(packUserAgent(agent))).toBe(agent);
    }
  });

  it("are short", () => {
    expect(packId("0b7e7d4a-1f5a-4c39-9a53-2d6f9c1f0a11")).toHaveLength(23);
    expect(packId(`00-${"4b".repeat(16)}-${"0f".repeat(8)}-01`)).toHaveLength(35);
    expect(packId("0B7E7D4A-1F5A-4C39-9A53-2D6F9C1F0A11")).toHaveLength(36);
    expect(packUserAgent(MAC).length).toBeLessThan(20);
  });
});
