/** The verifier finds whatever was done to a log: to its checkpoint, tiles, digests and leaves. */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonical, Tree, verifyEvidence, type VerifyOptions } from "../../verifier/verify.mjs";
import {
  bodiesIn,
  canonicalOf,
  digestOf,
  eventOf,
  evidenceOf,
  type Files,
  leafLine,
  leafOf,
  LOG,
  noteText,
  openFolder,
  rootOf,
  signatureLine,
  signerOf,
  someQuarters,
  writeLog,
} from "./evidence.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- a digest that is wrong on purpose
type Loose = Record<string, any>;

const folder = openFolder();
afterAll(() => folder.remove());

const check = (files: Files, options: Partial<VerifyOptions> = {}) => {
  folder.write(files);
  return verifyEvidence({ evidence: folder.path, key: folder.key, ...options });
};
/** Checks the evidence with one file in place of another. */
const checkWith = async (files: Files, name: string, bytes: Buffer, options: Partial<VerifyOptions> = {}) => {
  folder.patch(name, bytes);
  try {
    return await verifyEvidence({ evidence: folder.path, key: folder.key, ...options });
  } catch (error) {
    return error;
  } finally {
    folder.patch(name, files.get(name) ?? Buffer.alloc(0));
  }
};
const emptyLog = (count: number): readonly string[] => {
  const digests: string[] = [];
  for (let number = 0; number < count; number++) digests.push(digestOf(number, digests.at(-1), []));
  return digests;
};

describe("hashes and JSON", () => {
  // https://github.com/google/certificate-transparency/blob/master/cpp/merkletree/merkle_tree_test.cc
  const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
  it.each([
    [0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    [1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
    [2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    [3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"],
    [5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"],
    [8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
  ])("have the root of the %d leaves of Certificate Transparency's own tests", (count, root) => {
    const tree = new Tree();
    for (const leaf of leaves.slice(0, count)) tree.add(leafOf(Buffer.from(leaf, "hex")).toString("hex"));
    expect(tree.root()).toBe(root);
  });

  it("agree with the definition at every size, and with an author of RFC 8785", () => {
    const tree = new Tree();
    const hashes: Buffer[] = [];
    for (let size = 0; size < 70; size++) {
      expect(tree.root()).toBe(rootOf(hashes).toString("hex"));
      hashes.push(leafOf(String(size)));
      tree.add(hashes.at(-1)?.toString("hex") ?? "");
    }
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonical(value)).toBe(canonicalOf(value));
      }),
    );
  });
});

describe("an honest log", () => {
  it.each([1, 2, 255, 256, 257, 512, 600])("of %d digests holds", async (count) => {
    const files: Files = new Map();
    writeLog(files, emptyLog(count));
    expect(await check(files)).toMatchObject({ ok: true, digests: count, events: 0, chain: "ok", grade: "signed" });
  });

  it("of more digests than one tile of tiles, or of none, holds", async () => {
    const files: Files = new Map();
    writeLog(files, []);
    expect(await check(files)).toMatchObject({ ok: true, digests: 0, chain: "ok" });
  });

  it("has several digests for a quarter with many organizations", async () => {
    const first = digestOf(0, undefined, []);
    const second = JSON.parse(digestOf(1, first, [])) as { from: string; until: string };
    const same = canonicalOf({ ...second, ...(({ from, until }) => ({ from, until }))(JSON.parse(first)) });
    const files: Files = new Map();
    writeLog(files, [first, same]);
    expect(await check(files)).toMatchObject({ ok: true, digests: 2 });
  });
});

describe("any change to a file", () => {
  const made = evidenceOf(someQuarters(3, 3), { copies: true });
  let exports = "";
  beforeAll(() => {
    folder.write(made.files);
    exports = folder.beside(
      "all.jsonl",
      bodiesIn(someQuarters(3, 3))
        .map((body) => `${canonicalOf(body)}\n`)
        .join(""),
    );
  });
  const names = [...made.files.keys()];
  /** A byte of a gzip file may say nothing about its contents, such as the time in its header. */
  const isNoise = (name: string, bytes: Buffer): boolean => {
    try {
      return name.endsWith(".gz") && gunzipSync(bytes).equals(gunzipSync(made.files.get(name) ?? ""));
    } catch {
      return false;
    }
  };

  it("of one byte is found", async () => {
    const place = fc
      .constantFrom(...names)
      .chain((name) =>
        fc.tuple(fc.constant(name), fc.nat((made.files.get(name)?.length ?? 1) - 1), fc.integer({ min: 1, max: 255 })),
      );
    await fc.assert(
      fc.asyncProperty(place, async ([name, at, flip]) => {
        const bytes = Buffer.from(made.files.get(name) ?? "");
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        if (isNoise(name, bytes)) return;
        const found = await checkWith(made.files, name, bytes, { exports: [exports] });
        expect(found, `${name} at ${at}`).not.toMatchObject({ ok: true });
      }),
      { numRuns: 200 },
    );
  });

  it("that cuts it, empties it, lengthens it or takes it away is found", async () => {
    for (const name of names) {
      const bytes = made.files.get(name) ?? Buffer.alloc(0);
      const others = [
        bytes.subarray(0, -2),
        bytes.subarray(0, bytes.length >> 1),
        Buffer.alloc(0),
        Buffer.concat([bytes, Buffer.from("x\n")]),
      ];
      for (const other of others) {
        const found = await checkWith(made.files, name, other, { exports: [exports] });
        expect(found, `${name}, ${other.length} of ${bytes.length} bytes`).not.toMatchObject({ ok: true });
      }
      const without = new Map(made.files);
      without.delete(name);
      const found = await check(without).catch((error: unknown) => error);
      // Copies may be deleted at any time; the proof does not need them.
      expect((found as { ok?: boolean }).ok ?? false, name).toBe(name.startsWith("copies/"));
    }
  });

  it("that swaps, repeats, adds or takes lines of leaves is found", async () => {
    const name = "leaves/0/org_a.jsonl";
    const lines = String(made.files.get(name)).trimEnd().split("\n");
    const [first = "", second = "", third = ""] = lines;
    for (const other of [
      [second, first, third],
      [first, first, second, third],
      [first, third],
      [first, second, third, leafLine("x", leafOf("x")).trimEnd()],
    ]) {
      const { ok, chain } = await check(new Map([...made.files, [name, Buffer.from(`${other.join("\n")}\n`)]]));
      expect({ ok, chain }).toEqual({ ok: false, chain: expect.stringMatching(/^digest 0: /) });
    }
  });
});

describe("a log that was signed although it is wrong", () => {
  /** Signs whatever these digests are. */
  const signed = (change: (digests: Loose[]) => void, chained = false): Files => {
    const made = evidenceOf(someQuarters(4));
    const digests = made.digests.map((text) => JSON.parse(text) as Loose);
    change(digests);
    const texts: string[] = [];
    for (const digest of digests) {
      const previous =
        texts.length === 0
          ? null
          : createHash("sha256")
              .update(texts.at(-1) ?? "")
              .digest("hex");
      texts.push(canonicalOf(chained ? { ...digest, previous } : digest));
    }
    writeLog(made.files, texts);
    return made.files;
  };

  it.each<[string, number, string, (digests: Loose[]) => void]>([
    ["a number that was left out", 2, "has the number 3", (digests) => digests.splice(2, 1)],
    ["a digest that is there twice", 2, "has the number 1", (digests) => digests.splice(1, 0, digests[1] as object)],
    ["a digest that was changed", 3, '"previous"', (digests) => ((digests[2] as Loose).dead_letters.open = 9)],
    [
      "a digest that was changed at the end",
      3,
      "leaves",
      (digests) => ((digests[3] as Loose).organizations[0].root = "0".repeat(64)),
    ],
  ])("%s is found", async (_, number, what, change) => {
    const { ok, chain } = await check(signed(change));
    expect({ ok, chain }).toEqual({ ok: false, chain: expect.stringContaining(`digest ${number}: `) });
    expect(chain).toContain(what);
  });

  it.each<[string, number, string, (digests: Loose[]) => void]>([
    ["a gap between quarters", 2, "begins at", (digests) => shift(digests.slice(2), 900_000)],
    ["a quarter that is none", 1, "quarter", (digests) => ((digests[1] as Loose).until = "2026-11-30T10:29:00.000Z")],
    ["an hour", 3, "quarter", (digests) => ((digests[3] as Loose).until = "2026-11-30T11:45:00.000Z")],
    [
      "organizations out of order",
      0,
      "organizations",
      (digests) => (digests[0] as Loose).organizations.push((digests[0] as Loose).organizations.shift()),
    ],
    [
      "an organization that leads out of the folder",
      0,
      "organizations",
      (digests) => ((digests[0] as Loose).organizations[0].id = ".."),
    ],
    ["another version", 1, "version 1", (digests) => ((digests[1] as Loose).v = 2)],
    [
      "too many organizations",
      1,
      "organizations",
      (digests) =>
        ((digests[1] as Loose).organizations = Array.from({ length: 401 }, (_, at) => ({
          id: `org_${1000 + at}`,
          events: 1,
          root: "0".repeat(64),
        }))),
    ],
  ])("%s is found", async (_, number, what, change) => {
    const { ok, chain } = await check(signed(change, true));
    expect(ok).toBe(false);
    expect(chain).toContain(`digest ${number}: `);
    expect(chain).toContain(what);
  });

  it("an event in two digests is found", async () => {
    const twice = eventOf("org_a", 1);
    const { ok, chain } = await check(
      evidenceOf([{ org_a: [twice] }, {}, { org_b: [eventOf("org_b", 1), twice] }]).files,
    );
    expect({ ok, chain }).toEqual({
      ok: false,
      chain: `digest 2: event ${twice.event.metadata["event_id"]} is also in digest 0`,
    });
  });
});

function shift(digests: readonly Loose[], ms: number): void {
  for (const digest of digests) {
    for (const name of ["from", "until"]) digest[name] = new Date(Date.parse(digest[name]) + ms).toISOString();
  }
}

describe("checkpoints", () => {
  const quarters = someQuarters(5);
  const older = (count: number): string => String(evidenceOf(quarters.slice(0, count)).files.get("checkpoint"));

  it("of another log, of another key, or without a signature do not hold", async () => {
    const { files, digests } = evidenceOf(quarters);
    const text = noteText(5, rootOf(digests.map(leafOf)));
    for (const note of [
      `${text}\n${signatureLine(text, signerOf(LOG.name, 2))}`,
      `${text}\n${signatureLine(text, { ...signerOf(LOG.name, 2), id: LOG.id })}`,
      `${text}\n${signatureLine(text, signerOf("other.example/evidence", 1))}`,
      String(evidenceOf(quarters, { signer: signerOf("other.example/evidence", 1) }).files.get("checkpoint")),
    ]) {
      const result = await check(new Map([...files, ["checkpoint", Buffer.from(note)]]));
      expect(result).toMatchObject({ ok: false, grade: "chained" });
      expect(result.chain).toMatch(/is not signed by a key in/);
    }
  });

  it("that you kept must be continued", async () => {
    const { files } = evidenceOf(quarters);
    for (const count of [0, 1, 3, 5]) {
      const trusted = folder.beside("older", older(count));
      expect(await check(files, { trusted })).toMatchObject({ ok: true, chain: "ok" });
    }
    const other = folder.beside("older", String(evidenceOf(someQuarters(3, 2)).files.get("checkpoint")));
    expect(await check(files, { trusted: other })).toMatchObject({
      ok: false,
      chain: expect.stringContaining("digest 2: "),
    });
    const longer = folder.beside("older", String(evidenceOf(someQuarters(6)).files.get("checkpoint")));
    expect(await check(files, { trusted: longer })).toMatchObject({
      ok: false,
      chain: expect.stringContaining("cut off"),
    });
    const foreign = folder.beside("older", older(3).replace(/[^\n]\n$/, "\n"));
    await expect(check(files, { trusted: foreign })).rejects.toThrow("is not a signed checkpoint");
  });
});
