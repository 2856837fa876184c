/** `evidence pull`, and `verify --evidence` with the answers of the stand-alone verifier. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bodiesIn, canonicalOf, evidenceOf, openFolder, someQuarters, START_MS } from "../../verifier/evidence.ts";
import { json, runCli } from "../support/run-cli.ts";
import { type EvidenceServer, serveEvidence } from "./server.ts";

const VERIFIER = fileURLToPath(new URL("../../../verifier/verify.mjs", import.meta.url));
const made = evidenceOf(someQuarters(260), { copies: true });
const folder = openFolder();
let server: EvidenceServer;
let place = 0;
let target = "";

beforeAll(async () => {
  server = await serveEvidence(made.files);
});
beforeEach(() => {
  server.files = made.files;
  server.failure = () => undefined;
  server.asked.length = 0;
  target = join(folder.path, `pulled-${place++}`);
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

const pull = (...more: readonly string[]) =>
  runCli(["evidence", "pull", target, "--json", ...more], { env: server.env });
const verify = (...more: readonly string[]) => runCli(["verify", "--evidence", target, "--key", folder.key, ...more]);

const namesIn = (root: string): readonly string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();

describe("evidence pull", () => {
  it("downloads every file, and a second time only the checkpoint", async () => {
    const ended = await pull();
    expect({ code: ended.code, ...json(ended) }).toMatchObject({ code: 0, digests: 260, kept: 0 });
    expect(namesIn(target)).toEqual([...made.files.keys()].filter((name) => !name.startsWith("copies/")).toSorted());
    for (const name of namesIn(target))
      expect(readFileSync(join(target, name)).equals(made.files.get(name) ?? Buffer.alloc(0)), name).toBe(true);
    server.asked.length = 0;
    expect(json(await pull())).toMatchObject({ fetched: 1 });
    expect(server.asked.filter((path) => !path.startsWith("anchors/"))).toEqual(["checkpoint"]);
    expect(json(await verify("--json"))).toMatchObject({ ok: true, digests: 260, chain: "ok" });
  });

  it("narrows leaves and copies, but never the log", async () => {
    const at = (digest: number): string => new Date(START_MS + digest * 900_000).toISOString();
    expect((await pull("--since", at(100), "--until", at(102), "--copies")).code).toBe(0);
    const names = namesIn(target);
    expect(names.filter((name) => name.startsWith("tile/"))).toEqual(
      [...made.files.keys()].filter((name) => name.startsWith("tile/")).toSorted(),
    );
    const folders = (kind: string) => [
      ...new Set(names.filter((name) => name.startsWith(kind)).map((name) => name.split("/")[1])),
    ];
    // One hour more, for clocks that differ.
    expect(folders("leaves/")).toEqual(["100", "101", "96", "97", "98", "99"]);
    expect(folders("copies/")).toEqual(folders("leaves/"));
    expect(json(await verify("--json", "--since", at(100), "--until", at(102)))).toMatchObject({
      ok: true,
      chain: "ok",
    });
    expect((await verify()).stdout).toContain('digest 0: "leaves/0/org_a.jsonl" is missing');
  });

  it("outlasts a worker that is away for a moment, and a checkpoint that changes under it", async () => {
    let failures = 2;
    server.failure = () => (failures-- > 0 ? 503 : undefined);
    const older = evidenceOf(someQuarters(259)).files.get("checkpoint") ?? Buffer.alloc(0);
    server.files = new Map([...made.files, ["checkpoint", older]]);
    server.failure = (path) => {
      if (path.startsWith("tile/")) server.files = made.files;
      return failures-- > 0 ? 503 : undefined;
    };
    expect(json(await pull())).toMatchObject({ digests: 260 });
  });

  it("says what is wrong: no evidence, no token, a file that is gone", async () => {
    server.files = new Map();
    expect(await pull()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("error[not_found]: the worker has no checkpoint"),
    });
    const { AUDIT_ADMIN_TOKEN: _token, ...env } = server.env;
    expect(await runCli(["evidence", "pull", target], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"AUDIT_ADMIN_TOKEN" is not set'),
    });
    expect(
      await runCli(["evidence", "pull", target], { env: { ...server.env, AUDIT_ADMIN_TOKEN: "wrong" } }),
    ).toMatchObject({ code: 1, stderr: expect.stringContaining("error[unauthorized]") });
    server.files = new Map([...made.files].filter(([name]) => name !== "leaves/7/org_b.jsonl"));
    expect(await pull()).toMatchObject({ code: 1, stderr: expect.stringContaining("leaves/7/org_b.jsonl") });
    expect(existsSync(join(target, "checkpoint"))).toBe(true);
    expect((await verify()).stdout).toContain('digest 7: "leaves/7/org_b.jsonl" is missing');
  });
});

describe("verify --evidence", () => {
  it("answers as the stand-alone verifier does", async () => {
    await pull();
    const bodies = bodiesIn(someQuarters(260));
    const exported = folder.beside(
      "export.jsonl",
      bodies
        .slice(3)
        .map((body) => canonicalOf(body))
        .join("\n"),
    );
    for (const args of [
      ["--export", exported],
      ["--export", exported, "--json"],
      ["--organization", "org_b", "--json"],
      ["--trusted", folder.key],
      ["--columns", exported, "--json"],
    ]) {
      const ours = await verify(...args);
      const alone = spawnSync(process.execPath, [VERIFIER, target, "--key", folder.key, ...args], { encoding: "utf8" });
      expect({ code: ours.code, stdout: ours.stdout, stderr: ours.stderr }).toEqual({
        code: alone.status,
        stdout: alone.stdout,
        stderr: alone.stderr,
      });
    }
    expect(json(await verify("--export", exported, "--json")).missing).toHaveLength(3);
  });

  it.each([
    ["--evidence x", 'there is no verifier key in "audit-evidence.pub"'],
    ["--export x", '"--export" needs "--evidence"'],
    ["--evidence /nowhere --key /nowhere", '"/nowhere" is not a file'],
  ])("verify %s is wrong use", async (line, message) => {
    expect(await runCli(["verify", ...line.split(" ")])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    });
  });
});
