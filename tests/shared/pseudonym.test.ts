import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, fromHex, toBase64, toBase64Url, toHex, utf8Bytes } from "../../shared/bytes.ts";
import { parsePseudonymKeys, pseudonymOf, readPseudonymKeys } from "../../shared/pseudonym.ts";

const key = (byte: number) => Buffer.alloc(32, byte);
const hmac = async (secret: Uint8Array, text: string) =>
  new Uint8Array(createHmac("sha256", secret).update(text).digest());

describe("pseudonyms", () => {
  it("are an HMAC under the key, with the key's id", async () => {
    const [current, older] = parsePseudonymKeys(`k2:${key(2).toString("base64")}, k1:${key(1).toString("base64url")}`);
    expect(older?.id).toBe("k1");
    const mac = createHmac("sha256", key(2)).update("ada@example.com").digest().subarray(0, 16);
    expect(await pseudonymOf("ada@example.com", current, hmac)).toBe(`ps_k2_${mac.toString("base64url")}`);
    expect(await pseudonymOf("ada@example.com", current, hmac)).not.toBe(
      await pseudonymOf("Ada@example.com", current, hmac),
    );
  });

  it.each([
    "",
    ",",
    "k1",
    "k1:",
    ":abc",
    `k 1:${key(1).toString("base64")}`,
    `${"k".repeat(17)}:${key(1).toString("base64")}`,
    `k1:${key(1).toString("base64").slice(0, 40)}`,
    "k1:!!!",
    `k1:${key(1).toString("base64")},k1:${key(2).toString("base64")}`,
    `k1:${key(1).toString("base64")},`,
  ])("%j are no keys", (text) => {
    expect(readPseudonymKeys(text)).toBeUndefined();
    expect(() => parsePseudonymKeys(text)).toThrow(expect.objectContaining({ code: "invalid_variable" }));
  });
});

describe("bytes", () => {
  it("are the same as those of the platform", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        expect(toHex(bytes)).toBe(buffer.toString("hex"));
        expect(toBase64(bytes)).toBe(buffer.toString("base64"));
        expect(toBase64Url(bytes)).toBe(buffer.toString("base64url"));
        expect([fromHex(toHex(bytes)), fromBase64(toBase64(bytes)), fromBase64(toBase64Url(bytes))]).toEqual([
          bytes,
          bytes,
          bytes,
        ]);
      }),
    );
    expect(fromBase64("*")).toBeUndefined();
    expect(utf8Bytes("aé😀")).toBe(7);
  });
});
