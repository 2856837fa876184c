/** Input that is hostile or wrong has a clear answer and is never ok. Runs the file as an auditor does. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyEvidence } from "../../verifier/verify.mjs";
import { bodiesIn, canonicalOf, evidenceOf, type Files, openFolder, someQuarters } from "./evidence.ts";
import { csvOf, LAYOUTS } from "./exports.ts";

const VERIFIER = fileURLToPath(new URL("../../verifier/verify.mjs", import.meta.url));
const folder = openFolder();
const { files } = evidenceOf(someQuarters(2));
const bodies = bodiesIn(someQuarters(2));
beforeAll(() => folder.write(files));
afterAll(() => folder.remove());

/** A zip as its specification describes it; `pack` is tested with a library. */
function zipOf(entries: Iterable<readonly [string, Buffer]>, method: 0 | 8 = 8): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of entries) {
    const data = method === 8 ? deflateRawSync(bytes) : bytes;
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(method, 4);
    head.writeUInt32LE(data.length, 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt16LE(Buffer.byteLength(name), 22);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(offset, 10);
    parts.push(Buffer.from("PK\x03\x04"), head, Buffer.from(name), data);
    directory.push(Buffer.from("PK\x01\x02\x14\x00"), head, end, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + data.length;
  }
  const central = Buffer.concat(directory);
  const tail = Buffer.alloc(18);
  tail.writeUInt16LE(directory.length / 4, 4);
  tail.writeUInt16LE(directory.length / 4, 6);
  tail.writeUInt32LE(central.length, 8);
  tail.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from("PK\x05\x06"), tail]);
}

const run = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [VERIFIER, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
};

describe("the file", () => {
  const text = readFileSync(VERIFIER, "utf8");

  it("can be read, and needs nothing but Node", () => {
    const lines = text.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(400);
    expect(lines.filter((line) => line.length > 160)).toEqual([]);
    const imports = [...text.matchAll(/(?:from|import\(?|require\()\s*"([^"]+)"/g)].map(([, name = ""]) => name);
    expect(imports.length).toBeGreaterThan(3);
    expect(imports.filter((name) => !name.startsWith("node:"))).toEqual([]);
  });

  it("runs alone, from another folder, and exits 0, 1 or 2", () => {
    const alone = folder.beside("check.mjs", text);
    const all = folder.beside("all.jsonl", bodies.map((body) => canonicalOf(body)).join("\n"));
    const lines = execFileSync(process.execPath, [alone, folder.path, "--key", folder.key, "--export", all], {
      encoding: "utf8",
      cwd: "/",
    });
    expect(lines).toMatch(/chain: ok\n.*\nok: nothing was removed, changed or added\n$/);
    const { status, stdout } = run(
      "--evidence",
      folder.path,
      "--key",
      folder.key,
      "--export",
      all,
      "--export",
      all,
      "--json",
    );
    expect({ status, ...JSON.parse(stdout) }).toMatchObject({
      status: 1,
      ok: false,
      unexpected: { length: bodies.length },
    });
    expect(run(folder.path)).toMatchObject({ status: 2, stderr: expect.stringContaining("usage: ") });
    expect(run(folder.path, "--key", folder.key, "--since", "yesterday").status).toBe(2);
    expect(run(folder.path, "--wrong", "--json")).toMatchObject({
      status: 2,
      stdout: expect.stringContaining('"code": "wrong_use"'),
    });
  });
});

describe("a zip", () => {
  const check = (bytes: Buffer) => verifyEvidence({ evidence: folder.beside("pack.zip", bytes), key: folder.key });

  it.each([0, 8] as const)("packed by method %d is read like its folder", async (method) => {
    const { exports: _, ...zipped } = await check(zipOf(files, method));
    expect(zipped).toEqual({
      ...(await verifyEvidence({ evidence: folder.path, key: folder.key })),
      exports: undefined,
    });
  });

  it("that is a pack holds one organization's leaves, and its export", async () => {
    const own = [...files].filter(([name]) => !name.includes("org_b"));
    const pack = {
      organization: "org_a",
      period: { since: "2026-11-30T10:00:01.000Z", until: "2026-11-30T12:00:00.000Z" },
    };
    const rows = bodies.filter(({ organization_id }) => organization_id === "org_a");
    const packed: Files = new Map([
      ...own,
      ["pack.json", Buffer.from(JSON.stringify(pack))],
      ["export.csv", Buffer.from(LAYOUTS["CSV with columns of JSON"]!(rows))],
    ]);
    expect(await check(zipOf(packed))).toMatchObject({
      ok: true,
      events: 2,
      found: 2,
      chain: "ok",
      exports: ["export.csv"],
    });
    packed.delete("leaves/0/org_a.jsonl");
    expect(await check(zipOf(packed))).toMatchObject({
      ok: false,
      chain: 'digest 0: "leaves/0/org_a.jsonl" is missing',
    });
    await expect(
      verifyEvidence({ evidence: folder.beside("p.zip", zipOf(packed)), key: folder.key, organization: "org_b" }),
    ).rejects.toThrow('the pack is of "org_a"');
  });

  it.each(["../x", "a/../../x", "/etc/x", "a\\x", "C:x", "checkpoint"])("with the name %j is refused", async (name) => {
    await expect(check(zipOf([...files, [name, Buffer.from("x")]]))).rejects.toThrow(
      "leads out of it, or is in it twice",
    );
  });

  it("that is cut, inflates to more than it says, or is none is refused", async () => {
    const whole = zipOf(files);
    for (const bytes of [whole.subarray(0, -30), whole.subarray(100), Buffer.from("PK\x05\x06"), Buffer.from("no zip")])
      await expect(check(bytes)).rejects.toThrow("zip");
    const bomb = zipOf([["checkpoint", Buffer.alloc(1 << 20, 65)]]);
    bomb.writeUInt32LE(10, bomb.indexOf("PK\x01\x02") + 24);
    await expect(check(bomb)).rejects.toThrow(/./);
  });
});

describe("wrong input", () => {
  const verify = (export_: string | Buffer, more: object = {}) =>
    verifyEvidence({ evidence: folder.path, key: folder.key, exports: [folder.beside("export", export_)], ...more });
  const rows = LAYOUTS["CSV with columns of JSON"]!(bodies);

  it.each<[string, string | Buffer, string]>([
    ["a CSV that is cut in a quoted cell", rows.slice(0, -40), "is cut short, or is not CSV"],
    [
      "a CSV that is cut between cells",
      csvOf(bodies.map(({ event }) => ({ a: event.action, b: "x", c: "y" }))).slice(0, -4),
      "cut short or damaged",
    ],
    [
      "JSON lines that are cut",
      `${canonicalOf(bodies[0])}\n${canonicalOf(bodies[1]).slice(0, -9)}`,
      "cut short or damaged",
    ],
    ["a line without an end", `{"a":"${"x".repeat(17_000_000)}`, "more than 16 million characters"],
    ["bytes that are no UTF-8", Buffer.concat([Buffer.from(rows), Buffer.from([0xff, 0xfe, 0x0a])]), "utf-8"],
  ])("%s is refused", async (_, text, message) => {
    await expect(verify(text)).rejects.toMatchObject({ exitCode: 1, message: expect.stringContaining(message) });
  });

  it("an empty export, or one of another organization, is not ok", async () => {
    expect(await verify("")).toMatchObject({ ok: false, found: 0, missing: { length: bodies.length } });
    const others = bodies.filter(({ organization_id }) => organization_id === "org_b");
    const text = LAYOUTS["CSV with columns of JSON"]!(others);
    expect(await verify(text, { organization: "org_a" })).toMatchObject({
      ok: false,
      found: 0,
      foreign_rows: others.length,
    });
  });

  it.each<[string, (root: string) => object, string]>([
    ["a folder that is no evidence", (root) => ({ evidence: dirname(root) }), "is not evidence"],
    ["a folder that is not there", (root) => ({ evidence: join(root, "none") }), "does not exist"],
    ["a key that is not there", () => ({ key: "none.pub" }), "is not a file"],
    ["a key that is none", (root) => ({ key: join(root, "checkpoint") }), "not a verifier key"],
    ["columns that are no map", (root) => ({ columns: join(root, "checkpoint") }), "must map names of columns"],
    ["an export that is a folder", (root) => ({ exports: [root] }), "is not a file"],
  ])("%s is named", async (_, wrong, message) => {
    const options = { evidence: folder.path, key: folder.key, ...wrong(folder.path) };
    await expect(verifyEvidence(options)).rejects.toMatchObject({ message: expect.stringContaining(message) });
  });

  it("control characters of an event id reach no terminal", () => {
    const evil = join(dirname(folder.path), "evil");
    cpSync(folder.path, evil, { recursive: true });
    mkdirSync(join(evil, "leaves/0"), { recursive: true });
    writeFileSync(join(evil, "leaves/0/org_a.jsonl"), '{"event_id":"\u009b31m","leaf":"0"}\n');
    const { status, stdout } = run(evil, "--key", folder.key);
    expect(status).toBe(1);
    expect(stdout).not.toContain("\u009b");
  });
});
