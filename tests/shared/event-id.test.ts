import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventIdTimeMs, isEventId, mintEventId, shardOf } from "../../shared/event-id.ts";

const random = fc.uint8Array({ minLength: 9, maxLength: 9 });
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const byte = fc.integer({ min: 0, max: 255 });

describe("an event id", () => {
  it("is a UUIDv7 that holds its time and its shard", () => {
    fc.assert(
      fc.property(time, random, byte, (nowMs, bytes, shard) => {
        const id = mintEventId(nowMs, bytes, shard);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(eventIdTimeMs(id)).toBe(nowMs);
        expect(shardOf(id, 256)).toBe(shard);
        expect(isEventId(id)).toBe(true);
      }),
    );
  });

  it("has the layout of RFC 9562, appendix A.6", () => {
    const bytes = Uint8Array.of(0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39);
    expect(mintEventId(0x017f22e279b0, bytes, 0x8f)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  it("sorts by time", () => {
    const zeros = new Uint8Array(9);
    expect(mintEventId(1000, zeros, 0) < mintEventId(1001, zeros, 0)).toBe(true);
  });

  it("differs where the random bytes differ", () => {
    fc.assert(
      fc.property(time, random, random, (nowMs, one, other) => {
        // The version and variant take six of the 72 random bits.
        const masked = (bytes: Uint8Array) =>
          bytes
            .with(0, bytes[0]! & 0x0f)
            .with(2, bytes[2]! & 0x3f)
            .join();
        fc.pre(masked(one) !== masked(other));
        expect(mintEventId(nowMs, one, 7)).not.toBe(mintEventId(nowMs, other, 7));
      }),
    );
  });
});

describe("shardOf", () => {
  it("gives any id a shard below the count, always the same", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 64 }), (id, shards) => {
        const shard = shardOf(id, shards);
        expect(shard).toBeGreaterThanOrEqual(0);
        expect(shard).toBeLessThan(shards);
        expect(shardOf(id, shards)).toBe(shard);
      }),
    );
  });

  it("spreads foreign ids over all shards", () => {
    const shards = new Set(Array.from({ length: 1000 }, (_, i) => shardOf(`evt_${i}`, 16)));
    expect(shards.size).toBe(16);
  });
});

describe("isEventId", () => {
  it.each([["evt_1"], ["01J9.x-Y"], ["a".repeat(64)]])("takes %s", (id) => {
    expect(isEventId(id)).toBe(true);
  });

  it.each([[""], ["a".repeat(65)], ["a:r1"], ["a b"], ["é"], ["a\n"], [1], [null], [undefined], [{}]])(
    "refuses %j",
    (id) => {
      expect(isEventId(id)).toBe(false);
    },
  );
});
