import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MESSAGE_MAX_INFLATED_BYTES, MESSAGE_MAX_RECORDS } from "../../../shared/limits.ts";
import { packMessage } from "../../../shared/packed.ts";
import { encodeMessage } from "../../../shared/wire.ts";
import { decodeMessage } from "../../../worker/message/decoded-message.ts";
import { anyRecord } from "../../shared/any-record.ts";
import { recordOf } from "../support/records.ts";

const deflate = async (text: string) => deflateRawSync(text);
const decode = (body: string) => decodeMessage(Buffer.from(body));
const pack = (inside: unknown) => deflateRawSync(JSON.stringify(inside)).toString("base64url");

const FIRST = recordOf();
const SECOND = recordOf();
const { g, records: WIRE } = encodeMessage([FIRST, SECOND]);
const WITHOUT_IDS = WIRE.map(({ id: _id, ...rest }) => rest);
const IDS = WIRE.map(({ id }) => ({ id }));
const D = pack({ g, records: WITHOUT_IDS });

describe("a packed message", () => {
  it("is read as the records that were sent, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), async (records) => {
        const body = await packMessage(encodeMessage(records), deflate);
        expect(decode(body)).toEqual({ kind: "message", records, unreadable: [] });
      }),
      { numRuns: 300 },
    );
  });

  it("is read whatever made the deflated bytes", () => {
    for (const level of [0, 1, 9]) {
      const d = deflateRawSync(JSON.stringify({ g, records: WITHOUT_IDS }), { level }).toString("base64url");
      expect(decode(JSON.stringify({ v: 1, records: IDS, d }))).toMatchObject({ records: [FIRST, SECOND] });
    }
  });

  it("loses only the record that cannot be read, and keeps of it a message that can be read alone later", async () => {
    const spoiled = [{ ...WITHOUT_IDS[0], x: "a newer outcome" }, WITHOUT_IDS[1]];
    const decoded = decode(JSON.stringify({ v: 1, records: IDS, d: pack({ g, records: spoiled }) }));
    expect(decoded).toMatchObject({
      kind: "message",
      records: [SECOND],
      unreadable: [{ id: FIRST.id, reason: '"x" is missing or malformed' }],
    });
    const kept = decoded.kind === "message" ? (decoded.unreadable[0]?.message ?? "") : "";
    const mended = kept.replace('"x":"a newer outcome"', '"x":"success"');
    expect(mended).not.toBe(kept);
    expect(decode(mended)).toMatchObject({ records: [FIRST], unreadable: [] });
  });

  it("says the event id beside what is packed, not in it", () => {
    const inside = WITHOUT_IDS.map((record) => ({ ...record, id: "other" }));
    expect(decode(JSON.stringify({ v: 1, records: IDS, d: pack({ g, records: inside }) }))).toMatchObject({
      records: [{ id: FIRST.id }, { id: SECOND.id }],
    });
  });

  it("of a newer version is one of a newer version, whatever it holds", () => {
    expect(decode(JSON.stringify({ v: 2, records: IDS, d: "?" }))).toEqual({ kind: "newer", version: 2 });
  });
});

const NO_BASE64 = '"d" must be base64url';
const NO_JSON = '"d" is not deflated JSON, or is too large';
const NO_LIST = '"d" must hold as many records as "records"';
const bomb = (bytes: number) => deflateRawSync(`{"g":[],"records":[{},{}]}${" ".repeat(bytes - 26)}`);

describe("what the policy did not pack", () => {
  it.each<[string, object, string]>([
    ["a number", { d: 1 }, NO_BASE64],
    ["an empty text", { d: "" }, NO_BASE64],
    ["other letters", { d: `${D}!` }, NO_BASE64],
    ["bytes that are not deflated", { d: Buffer.from('{"g":[],"records":[]}').toString("base64url") }, NO_JSON],
    ["deflated bytes that were cut", { d: D.slice(0, -8) }, NO_JSON],
    ["a zlib header", { d: Buffer.from("789c4bcb0700021b0145", "hex").toString("base64url") }, NO_JSON],
    ["deflated text that is not JSON", { d: deflateRawSync("records").toString("base64url") }, NO_JSON],
    [
      "deflated bytes that are not UTF-8",
      { d: deflateRawSync(Buffer.from('{"g":["\xff"],"records":[{},{}]}', "latin1")).toString("base64url") },
      NO_JSON,
    ],
    ["a deflated null", { d: pack(null) }, NO_JSON],
    ["a deflated list", { d: pack([]) }, NO_LIST],
    ["no records", { d: pack({ g }) }, NO_LIST],
    ["records that are no list", { d: pack({ g, records: { length: 2 } }) }, NO_LIST],
    ["a record too few", { d: pack({ g, records: WITHOUT_IDS.slice(1) }) }, NO_LIST],
    ["a record too many", { d: pack({ g, records: [...WITHOUT_IDS, ...WITHOUT_IDS] }) }, NO_LIST],
    ["no list beside it", { records: undefined }, NO_LIST],
    ["a `g` that is a text", { d: pack({ g: "g", records: WITHOUT_IDS }) }, '"g" is missing or malformed'],
    ["more than may be inflated", { d: bomb(MESSAGE_MAX_INFLATED_BYTES + 1).toString("base64url") }, NO_JSON],
    ["a bomb", { d: bomb(100_000_000).toString("base64url") }, NO_JSON],
  ])("is unreadable as a whole: %s", (_name, change, reason) => {
    expect(decode(JSON.stringify({ v: 1, records: IDS, d: D, ...change }))).toEqual({ kind: "unreadable", reason });
  });

  it.each<[string, unknown]>([
    ["a text", "c"],
    ["null", null],
    ["a list", [1]],
    ["nothing", {}],
  ])("is unreadable in one record: %s", (_name, inside) => {
    const d = pack({ g, records: [inside, WITHOUT_IDS[1]] });
    expect(decode(JSON.stringify({ v: 1, records: IDS, d }))).toMatchObject({
      records: [SECOND],
      unreadable: [{ id: FIRST.id, reason: '"c" is missing or malformed' }],
    });
  });

  it("is unreadable in a record that names no event id", () => {
    const decoded = decode(JSON.stringify({ v: 1, records: [null, IDS[1]], d: D }));
    expect(decoded).toMatchObject({ records: [SECOND], unreadable: [{ reason: '"id" is missing or malformed' }] });
  });

  it("may be as large as allowed, and hold as many records", () => {
    const largest = bomb(MESSAGE_MAX_INFLATED_BYTES).toString("base64url");
    expect(decode(JSON.stringify({ v: 1, records: IDS, d: largest }))).toMatchObject({ kind: "message" });
    const tooMany = Array.from({ length: MESSAGE_MAX_RECORDS + 1 }, () => ({}));
    expect(decode(JSON.stringify({ v: 1, records: tooMany, d: pack({ g, records: tooMany }) }))).toEqual({
      kind: "unreadable",
      reason: '"records" is missing or malformed',
    });
  });
});
