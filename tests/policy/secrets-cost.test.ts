/** No text costs more than linear time. Each cost is compared with that of a harmless text of the same length, in the same run. */
import { describe, expect, it } from "vitest";
import { scrub } from "../../policy/secrets.ts";
import { seededRandom } from "./support/secret-samples.ts";

const LENGTH = 4_000;
/** A harmless text takes some 15 µs, so that this is about 0.5 ms on a machine that is not busy. Quadratic patterns take 5 ms. */
const RATIO_MAX = 35;

const repeated = (unit: string) => unit.repeat(Math.ceil(LENGTH / unit.length)).slice(0, LENGTH);
const harmless = repeated("Please add her to the platform team, she starts on Monday. ");
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** The best of some tries, because others use the processor too. */
function costMs(text: string, tries: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    const startMs = performance.now();
    scrub(text);
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}

function ratioOf(text: string): number {
  costMs(text, 3);
  return costMs(text, 15) / costMs(harmless, 30);
}

describe("the worst text of each pattern costs little more than a harmless one", () => {
  costMs(harmless, 200);

  it.each([
    ["tokens without an end", repeated("eyJ-")],
    ["tokens with an end each", repeated("eyJ-.a ")],
    ["beginnings of private keys", repeated("-----BEGIN PRIVATE KEY ")],
    ["a private key with many ends", repeated("-----BEGIN PRIVATE KEY----- -----END x")],
    ["schemes without credentials", repeated("bearer ")],
    ["a scheme and blanks", `bearer${" ".repeat(LENGTH)}`],
    ["passwords in URLs", repeated("://a:")],
    ["a URL with many colons", `://${repeated("a:b")}`],
    ["names without values", repeated("a:")],
    ["secret names without values", repeated("pwd:")],
    ["secret names with short values", repeated("pwd:a ")],
    ["names that are secret with other words", repeated("key=1 ")],
    ["one long name of secret words", repeated("token")],
    ["one long name in camel case", repeated("passPass")],
    ["a name and backslashes", `pwd${"\\".repeat(LENGTH)}`],
    ["issuers", repeated("lob:lob1234567890")],
    ["groups of digits", repeated("1234 ")],
    ["numbers that are almost cards", repeated("4111 1111 1111 1112 ")],
    ["one long number", repeated("4")],
    ["encodings", repeated("%25")],
    ["encodings upon encodings", `%${repeated("25")}`],
    ["blanks of a form", repeated("+a")],
    ["encoded tokens", repeated("eyJ-%41")],
    ["base64", repeated(`${base64("hello world this is text")} `)],
    ["base64 upon base64", base64(base64(base64("a".repeat(3_000)))).slice(0, LENGTH)],
    ["prefixes", repeated("sk-")],
    ["prefixes with almost enough behind them", repeated("glpat-aaaaaaaaaaaaaaa ")],
    ["hexadecimal runs", repeated("0123456789abcdef0123456789abcde-")],
    ["many short words", repeated("a.")],
    ["parts of tokens", repeated("MTaaaaaaaaaaaaaaaaaaaaaaa.")],
    ["invisible characters", repeated("\u200B")],
    ["emoji", repeated("👩‍🚒")],
    ["letters of two bytes", repeated("é:")],
  ])("%s", (_name, text) => {
    expect(ratioOf(text)).toBeLessThan(RATIO_MAX);
  });
});

it("a search for worse texts finds none", () => {
  const random = seededRandom(3);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const pieces = (
    "eyJ - . _ = : :// @ \" ' \\ %25 %41 + / pwd pass token key code sig bearer dpop cookie 4111 1234 4 sk- ghp_ glpat- AKIA SG. xoxb- " +
    "hooks.slack.com/services/ t1. .atlasv1. a aa A Zm9v SGVs \u200B 👩 é ? & # ~ $ | lob heroku s. pat. { } , ; 0 00 f live_ -----BEGIN"
  ).split(" ");
  pieces.push(" ", "\n", "-----BEGIN PRIVATE KEY", "bearer ");
  const unit = () =>
    Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(pieces)).join("") +
    (random() < 0.3 ? pick(pieces).repeat(1 + Math.floor(random() * 40)) : "");

  let pool: { readonly text: string; readonly ms: number }[] = [];
  for (let i = 0; i < 600; i++) {
    const parent = random() < 0.5 ? (pool[Math.floor(random() * pool.length)]?.text.slice(0, 150) ?? "") : "";
    const text = repeated(parent + unit() + unit());
    pool.push({ text, ms: costMs(text, 3) });
    pool = pool.toSorted((a, b) => b.ms - a.ms).slice(0, 20);
  }
  for (const { text } of pool.slice(0, 5))
    expect(ratioOf(text), JSON.stringify(text.slice(0, 150))).toBeLessThan(RATIO_MAX);
});
