import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { json } from "../support/run-cli.ts";
import { deploy, type Deployment } from "./support.ts";

let worker: Deployment;
let other: Deployment;
let folder: string;
let ids: readonly string[];
beforeAll(async () => {
  [worker, other, folder] = await Promise.all([deploy(), deploy(), mkdtemp(join(tmpdir(), "exports-"))]);
  ids = await worker.rejected(3, { metadata: { plan: "gold", formula: "=1+1" }, action: "user.created" });
});
afterAll(async () => {
  await Promise.all([worker.stop(), other.stop(), rm(folder, { recursive: true })]);
});

const lines = (text: string) => text.trimEnd().split("\n");

describe("export", () => {
  test("JSON lines on stdout, one entry each, hidden by default", async () => {
    const { stdout, stderr, code } = await worker.cli("dead-letters export");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "exported 3 dead letters\n" });
    const entries = lines(stdout).map((line) => JSON.parse(line) as { event_id: string; hidden: string[] });
    expect(entries.map(({ event_id }) => event_id).toSorted()).toEqual([...ids].toSorted());
    expect(stdout).not.toContain("gold");
    expect(entries[0]?.hidden).toContain("record.metadata.plan");
  });

  test("to a file that only its owner reads, with --reveal", async () => {
    const file = join(folder, "letters.jsonl");
    const ended = await worker.cli(`dead-letters export --reveal --output ${file} --json`);
    expect(json(ended)).toEqual({ exported: 3, file });
    expect(lines(await readFile(file, "utf8"))).toHaveLength(3);
    expect(await readFile(file, "utf8")).toContain("gold");
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  test("CSV with a heading, for the filters given", async () => {
    const { stdout } = await worker.cli("dead-letters export --format csv --action user.created");
    expect(lines(stdout)[0]).toMatch(/^event_id,state,class,/);
    expect(lines(stdout)).toHaveLength(4);
    expect((await worker.cli("dead-letters export --format csv --action nobody")).stdout).toMatch(
      /^event_id,[^\n]*\n$/,
    );
  });

  test("a reader that closes the pipe early is no failure", async () => {
    const child = worker.start("dead-letters export");
    child.stdout.destroy();
    const { stderr, code } = await child.ended;
    expect(stderr).not.toContain("error[");
    expect(code).toBe(0);
  });
});

describe("import", () => {
  test("takes an export into another deployment, once, where a replay delivers it", async () => {
    const { stdout } = await worker.cli("dead-letters export --reveal");
    const first = await other.cli("dead-letters import --json", stdout);
    expect({ code: first.code, ...json(first) }).toEqual({ code: 0, imported: 3, known: 0, refused: [] });
    const file = join(folder, "again.jsonl");
    await writeFile(file, `\n${stdout}\r\n`);
    expect((await other.cli(`dead-letters import ${file}`)).stdout).toBe(
      "imported 0 dead letters, 3 known already, 0 refused\n",
    );
    expect((await other.cli("dead-letters replay --all --yes")).code).toBe(0);
    expect(other.stored()).toEqual([...ids].toSorted());
  });

  test("refuses hidden values before anything is sent", async () => {
    const { stdout } = await worker.cli("dead-letters export");
    const { code, stderr } = await other.cli("dead-letters import", stdout);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'error[wrong_use]: line 1 hides values; export again with "--reveal"\n',
    });
  });

  test("names each line that the worker refuses, and exits 1", async () => {
    const { code, stderr, stdout } = await other.cli("dead-letters import", '\n{"event_id":"x"}\n');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^line 2: /);
    expect(stdout).toBe("imported 0 dead letters, 0 known already, 1 refused\n");
  });

  test("a line that is no JSON is wrong use", async () => {
    expect(await other.cli("dead-letters import", "nonsense\n")).toMatchObject({
      code: 2,
      stderr: "error[wrong_use]: line 1 is not a JSON object\n",
    });
  });
});

describe("discard", () => {
  test("keeps a tombstone with the reason, again and again", async () => {
    const [id = ""] = ids;
    const discard = ["dead-letters", "discard", id, "--reason", "test traffic"];
    expect(await worker.cli(discard)).toMatchObject({ code: 0, stdout: "discarded 1 dead letter\n" });
    expect((await worker.cli(discard)).code).toBe(0);
    const shown = await worker.cli(`dead-letters show ${id}`);
    expect(shown.stdout).toMatch(/state +discarded/);
    expect(shown.stdout).toMatch(/discarded +test traffic/);
    expect(json(await worker.cli("dead-letters list --state discarded --json")).dead_letters).toHaveLength(1);
  });

  test("goes on past an id that is not there, and exits 1", async () => {
    const unknown = "019ab0c4-0000-7000-8000-000000000000";
    const ended = await worker.cli(["dead-letters", "discard", unknown, ids[1] ?? "", "--reason", "x", "--json"]);
    expect(ended.code).toBe(1);
    expect(json(ended)).toMatchObject({ discarded: [ids[1]], failed: [{ event_id: unknown, code: "not_found" }] });
  });

  test("by a filter counts first, and needs a yes", async () => {
    const filter = ["dead-letters", "discard", "--class", "rejected"];
    const { count } = json(await worker.cli([...filter, "--dry-run", "--json"])) as { count: number };
    expect(count).toBeGreaterThan(0);
    expect(await worker.cli([...filter, "--reason", "x"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('needs "--yes", or "--dry-run"'),
    });
    expect(await worker.cli([...filter, "--failure", "nothing like it", "--reason", "x", "--yes"])).toMatchObject({
      code: 0,
      stdout: "nothing to discard\n",
    });
    const ended = await worker.cli([...filter, "--reason", "test traffic", "--yes", "--json"]);
    expect(json(ended)).toMatchObject({ discarded: count, skipped: 0, by: "admin", reason: "test traffic" });
    expect(json(await worker.cli("dead-letters list --json")).dead_letters).toEqual([]);
  });

  test.each<[string[], string]>([
    [["--reason", "x"], "name event ids or a filter"],
    [["--all", "--class", "rejected", "--reason", "x"], "exclude one another"],
    [["019ab0c4-0000-7000-8000-000000000000"], '"--reason" must have 1 to 500 characters'],
    [["--all", "--yes"], '"--reason" must have 1 to 500 characters'],
  ])("with %j is wrong use", async (args, message) => {
    const ended = await worker.cli(["dead-letters", "discard", ...args]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
