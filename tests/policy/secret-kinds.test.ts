/** Kinds of secret that are caught, and ordinary values that are not. */
import { describe, expect, it } from "vitest";
import { REDACTED, scrub } from "../../policy/secrets.ts";
import { randomText, randomUuid, secretSamples, seededRandom } from "./support/secret-samples.ts";

const samples = secretSamples(seededRandom(1));

it("knows at least 150 kinds", () => {
  expect(new Set(samples.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(150);
});

describe("a secret of a known kind goes, alone and within a text", () => {
  /** A seed gives one sample of every kind. */
  const drawn = Array.from({ length: 20 }, (_, index) => secretSamples(seededRandom(index + 2)));

  it.each(samples)("$kind", ({ kind }) => {
    for (const ofSeed of drawn) {
      const sample = ofSeed.find((one) => one.kind === kind);
      if (!sample) throw new Error("no sample");
      const { text, parts } = sample;
      for (const given of [text, `before ${text} after`, `"${text}"`, `(${text})`, encodeURIComponent(text)]) {
        const clean = scrub(given);
        expect(clean, given).toContain(REDACTED);
        for (const part of parts) expect(clean, given).not.toContain(part.slice(0, 8));
      }
    }
  });
});

describe("an ordinary value stays as it is", () => {
  const WORDS =
    "the team platform invoice member project billing report weekly access user token-free summer order green river north window paper stone music cloud garden harbor basic digest session code key".split(
      " ",
    );

  function generators(random: () => number): Readonly<Record<string, () => string>> {
    const text = (alphabet: string, length: number) => randomText(alphabet, length, random);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const number = (max: number) => Math.floor(random() * max);
    const words = (count: number, glue: string) => Array.from({ length: count }, () => pick(WORDS)).join(glue);
    const sentence = () => words(3 + number(12), " ");
    const upper = (length: number) => text("l", length).toUpperCase();
    const bytes = (length: number) => Buffer.from(Array.from({ length }, () => number(256)));
    const prefix = () =>
      pick(
        "user org team usr cus sub price prod evt in pm acct conn dir proj inv tok_meta file run job msg".split(" "),
      );
    return {
      uuid: () => randomUuid(random),
      "uuid without hyphens": () => text("h", 32),
      "uuid in upper case": () => randomUuid(random).toUpperCase(),
      ulid: () => `01${upper(24)}`,
      "prefixed ulid": () => `${prefix()}_01${upper(24)}`,
      typeid: () => `${prefix()}_01${text("l", 24)}`,
      "stripe id": () => `${pick(["cus", "pi", "ch", "sub", "in", "evt", "price", "seti"])}_${text("w", 24)}`,
      nanoid: () => text("s", 21),
      ksuid: () => text("w", 27),
      cuid: () => `c${text("l", 24)}`,
      cuid2: () => text("l", 24),
      objectid: () => text("h", 24),
      snowflake: () => `${1 + number(9)}${text("d", 17 + number(2))}`,
      "database id": () => String(number(10 ** 9)),
      "account id of twelve digits": () => text("d", 12),
      "auth0 id": () => `auth0|${text("h", 24)}`,
      "okta id": () => `00u${text("w", 17)}`,
      "aws arn": () => `arn:aws:iam::${text("d", 12)}:role/${words(2, "-")}`,
      "google client id": () => `${text("d", 12)}-${text("l", 32)}.apps.googleusercontent.com`,
      "slack id": () => `${pick(["U", "C", "T"])}0${upper(9)}`,
      "twilio sid": () => `${pick(["AC", "SM", "CA"])}${text("h", 32)}`,
      "github node id": () => `${pick(["U", "R", "PR"])}_kgDO${text("w", 6)}`,
      "openai id": () => `${pick(["chatcmpl", "resp", "asst", "file"])}-${text("w", 24)}`,
      "ethereum address": () => `0x${text("h", 40)}`,
      "trace parent": () => `00-${text("h", 32)}-${text("h", 16)}-01`,
      md5: () => text("h", 32),
      sha1: () => text("h", 40),
      sha256: () => text("h", 64),
      sha512: () => text("h", 128),
      "docker digest": () => `sha256:${text("h", 64)}`,
      "sha-1 in base64": () => bytes(20).toString("base64"),
      "sha-256 in base64": () => bytes(32).toString("base64"),
      "subresource integrity": () => `sha384-${bytes(48).toString("base64")}`,
      "base64 of text": () => Buffer.from(sentence()).toString("base64"),
      "base64url of text": () => Buffer.from(sentence()).toString("base64url"),
      "base64 of json": () =>
        Buffer.from(JSON.stringify({ id: number(10 ** 6), name: sentence(), next: text("h", 24) })).toString("base64"),
      cursor: () => `eyJpZCI6${bytes(24).toString("base64url")}`,
      "e-mail address": () => `${words(2, ".")}${number(100)}+${pick(WORDS)}@${pick(WORDS)}.example.com`,
      url: () =>
        `https://${pick(WORDS)}.example.com/${words(3, "/")}/${randomUuid(random)}?page=${number(100)}&sort=name`,
      "url with ids": () => `https://example.com/v1/users/${text("w", 20)}/items/${number(10 ** 6)}#${words(2, "-")}`,
      "url with a country": () =>
        `https://example.com/countries?code=${pick(["DE", "US", "FRA"])}&limit=${number(100)}`,
      slug: () => words(3 + number(6), "-"),
      "slug with numbers": () => `${words(3, "-")}-${2000 + number(50)}`,
      "snake case": () => words(3 + number(4), "_").replaceAll("-", "_"),
      "dotted name": () => words(3, "."),
      sentence,
      date: () => new Date(1.7e12 + random() * 1e11).toISOString(),
      "time in ms": () => String(1.7e12 + number(10 ** 11)),
      phone: () => `+49 ${text("d", 3)} ${text("d", 7)}`,
      ip: () => Array.from({ length: 4 }, () => number(256)).join("."),
      ipv6: () => Array.from({ length: 8 }, () => text("h", 4)).join(":"),
      version: () => `${number(20)}.${number(20)}.${number(200)}`,
      amount: () => `${number(10 ** 6)}.${text("d", 2)} EUR`,
      "user agent": () =>
        `Mozilla/5.0 (X11; Linux x86_64; rv:${number(200)}.0) Gecko/20100101 Firefox/${number(200)}.0 ${words(1, "")}/${number(9)}.1`,
      "file name": () => `${words(2, "_")}_${text("d", 8)}.tar.gz`,
      "s3 path": () => `s3://${words(2, "-")}/${text("d", 4)}/${text("d", 2)}/${randomUuid(random)}.parquet`,
      title: () => `${pick(["Basic", "Digest", "Token", "Session"])} ${words(2, " ")}: ${pick(WORDS)}`,
    };
  }

  it("in 12,000 cases of common schemes", () => {
    const random = seededRandom(7);
    const all = Object.entries(generators(random));
    const alarms: string[] = [];
    const count = 12_000;
    for (let i = 0; i < count; i++) {
      const [name, make] = all[i % all.length] ?? ["", () => ""];
      const value = make();
      if (scrub(value) !== value) alarms.push(`${name}: ${value} -> ${scrub(value)}`);
    }
    expect(alarms).toEqual([]);
  });
});
