import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { packMessage } from "../../shared/packed.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { decodeMessage } from "../../worker/message/decoded-message.ts";
import { samplesOf } from "./samples.ts";

const samples = samplesOf("v1");

it("holds a sample of every kind of message that version 1 had", () => {
  expect(samples.map(({ name }) => name).toSorted()).toEqual([
    "anonymous",
    "everything",
    "intent",
    "methods",
    "no-gateway-names",
    "other-id",
    "packed",
    "shared",
    "typical",
    "user-agents",
    "watchdog",
  ]);
});

describe.each(samples.map((sample) => [sample.name, sample] as const))(
  "a message of version 1: %s",
  (_name, { body, records }) => {
    it("is read as the records that were sent", () => {
      expect(decodeMessage(body)).toEqual({ kind: "message", records, unreadable: [] });
    });

    it("is read the same when the current encoder writes those records", () => {
      const again = new TextEncoder().encode(JSON.stringify(encodeMessage(records)));
      expect(decodeMessage(again)).toEqual({ kind: "message", records, unreadable: [] });
    });

    it("is read the same when those records are packed", async () => {
      const packed = await packMessage(encodeMessage(records), async (text) => deflateRawSync(text));
      expect(decodeMessage(Buffer.from(packed))).toEqual({ kind: "message", records, unreadable: [] });
    });
  },
);

function decode(value: unknown): ReturnType<typeof decodeMessage> {
  return decodeMessage(new TextEncoder().encode(JSON.stringify(value)));
}

it("tells a newer message from a broken one", () => {
  expect(decode({ v: 2, anything: true })).toEqual({ kind: "newer", version: 2 });
  expect(decode({ v: "2", records: [] })).toMatchObject({ kind: "unreadable" });
  expect(decode({ v: 0, records: [] })).toMatchObject({ kind: "unreadable" });
  expect(decode({ records: [] })).toMatchObject({ kind: "unreadable" });
});
