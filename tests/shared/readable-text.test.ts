import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanText, withoutInvisible } from "../../shared/readable-text.ts";

describe("cleanText", () => {
  it.each([
    ["a bidirectional override", "safe\u202Egpj.exe", String.raw`safe\u{202e}gpj.exe`],
    ["an isolate", "a\u2066b\u2069", String.raw`a\u{2066}b\u{2069}`],
    ["a direction mark", "a\u200Eb\u061C", String.raw`a\u{200e}b\u{61c}`],
    ["a zero-width space", "ad\u200Bmin", String.raw`ad\u{200b}min`],
    ["a joiner between letters", "a\u200Db\u200Cc", String.raw`a\u{200d}b\u{200c}c`],
    ["a byte order mark", "\uFEFFa", String.raw`\u{feff}a`],
    ["a soft hyphen", "ad\u00ADmin", String.raw`ad\u{ad}min`],
    ["a word joiner and an invisible operator", "a\u2060b\u2063", String.raw`a\u{2060}b\u{2063}`],
    ["a filler", "a\u3164\u115F\u034F", String.raw`a\u{3164}\u{115f}\u{34f}`],
    ["an annotation", "a\uFFF9b\uFFFB", String.raw`a\u{fff9}b\u{fffb}`],
    ["separators of lines and paragraphs", "a\u2028b\u2029", String.raw`a\u{2028}b\u{2029}`],
    ["tags", "a\u{E0041}\u{E007F}", String.raw`a\u{e0041}\u{e007f}`],
    ["variation selectors", "a\uFE0Fb\u{E0101}", String.raw`a\u{fe0f}b\u{e0101}`],
    ["a joiner after an emoji", "👩\u200D", String.raw`👩\u{200d}`],
    ["a joiner before an emoji", "a\u200D👩", String.raw`a\u{200d}👩`],
    ["tags after an emoji", "🏴\u{E0067}", String.raw`🏴\u{e0067}`],
    ["control characters and lone surrogates", "a\r\nb\0c\x7fd\u0085e\ud800f😀", "a  b c d e\ufffdf😀"],
  ])("shows %s", (_name, text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });

  it.each(["👩‍👩‍👧‍👦", "👩🏽‍🚒", "❤️‍🔥", "🏳️‍🌈", "🧑🏽‍🤝‍🧑🏻", "1️⃣ #️⃣", "☀️", "🇩🇪", "Zoë Ñandú 山田 עברית ‏".trim().replace(/\u200F/g, "")])(
    "leaves %s as it is",
    (text) => {
      expect(cleanText(text)).toBe(text);
    },
  );

  it("gives the same text a second time, without an invisible character", () => {
    const char = fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom("\u200D", "👩", "\uFE0F", "\u202E", "1", "\u20E3", "🏽"),
    );
    fc.assert(
      fc.property(fc.array(char, { maxLength: 12 }), (parts) => {
        const once = cleanText(parts.join(""));
        expect(cleanText(once)).toBe(once);
        expect(once).not.toMatch(
          /[\u2028\u2029\u202A-\u202E\u2066-\u2069\u200B\u200C\u200E\u200F\u00AD]|[\u{E0000}-\u{E0FFF}]/u,
        );
      }),
    );
  });

  it("keeps apart two texts that differ only in invisible characters", () => {
    const texts = ["mem_7", "mem\u200B_7", "mem\u200C_7", "mem_7\u200B"];
    expect(new Set(texts.map(cleanText)).size).toBe(texts.length);
  });
});

it("withoutInvisible joins what an invisible character split, and keeps emoji whole", () => {
  expect(withoutInvisible("gh\u200Bp_\u00AD1 👩‍🚒")).toBe("ghp_1 👩‍🚒");
});
