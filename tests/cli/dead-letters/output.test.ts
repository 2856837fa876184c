/** Where dead letters are written: files, pipes for spreadsheets, and plain terminals. */
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTerminal } from "../support/run-cli.ts";
import { deploy, type Deployment } from "./support.ts";

let worker: Deployment;
let folder: string;
beforeAll(async () => {
  [worker, folder] = await Promise.all([deploy(), mkdtemp(join(tmpdir(), "output-"))]);
  for (const start of ["=", "+", "-", "@", "\t", "\r"])
    await worker.rejected(1, { action: `${start}action`, organization: `${start}organization` });
});
afterAll(async () => {
  await Promise.all([worker.stop(), rm(folder, { recursive: true })]);
});

/** A file with old text that every user can read. */
async function openFile(name: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, "old text ".repeat(1000), { mode: 0o644 });
  expect((await stat(file)).mode & 0o777).toBe(0o644);
  return file;
}

test("a list in a pipe starts no formula in a spreadsheet", async () => {
  const { stdout } = await worker.cli("dead-letters list");
  const rows = stdout.trimEnd().split("\n").slice(1);
  const cells = rows.map((row) => row.split("\t").slice(5, 7).join(" ")).toSorted();
  expect(cells).toEqual(
    ["'=", "'+", "'-", "'@", String.raw`\u{9}`, String.raw`\u{d}`]
      .map((start) => `${start}action ${start}organization`)
      .toSorted(),
  );
});

test("on a dumb terminal of 60 columns every row fits, without control codes, and `n` changes nothing", async () => {
  const narrow = { env: { ...worker.env, TERM: "dumb" }, columns: 60 };
  const list = openTerminal(["dead-letters", "list"], narrow);
  expect(await list.exitCode).toBe(0);
  const rows = list.screen().split("\r\n");
  expect(rows.filter((row) => row.startsWith("event id"))).toHaveLength(6);
  expect(rows.filter((row) => row.length > 60)).toEqual([]);

  const declined = openTerminal(["dead-letters", "replay", "--all"], narrow);
  await declined.shows("[y/N]");
  declined.write("n\r");
  expect(await declined.exitCode).toBe(1);
  expect(declined.screen()).toContain("error[aborted]: not confirmed, so nothing was changed");
  // oxlint-disable-next-line no-control-regex -- control codes are what must be absent
  expect(list.screen() + declined.screen()).not.toMatch(/(?!\r*\n)[\u0000-\u001F\u007F]/);
  expect((await worker.get("/api/replays")).json.replays).toEqual([]);
});

test("an export and a receipt close a file that others could read", async () => {
  const [letters, receipt] = [await openFile("letters.jsonl"), await openFile("receipt.json")];
  expect((await worker.cli(["dead-letters", "export", "-o", letters])).code).toBe(0);
  await worker.cli(["dead-letters", "replay", "--all", "--yes", "--receipt", receipt]);
  for (const file of [letters, receipt]) {
    const { mode, size } = await stat(file);
    expect({ mode: mode & 0o777, isReplaced: size !== 9000 }).toEqual({ mode: 0o600, isReplaced: true });
  }
});

test("on a dumb terminal of 60 columns a confirmed replay shows its plan and its progress line by line", async () => {
  await worker.rejected(6, { action: "action ".repeat(20).trim() });
  const replay = openTerminal(["dead-letters", "replay", "--all", "--rate", "2", "--set", "action=user.created"], {
    env: { ...worker.env, TERM: "dumb" },
    columns: 60,
  });
  await replay.shows("[y/N]");
  replay.write("y\r");
  expect(await replay.exitCode).toBe(0);
  const rows = replay.screen().split("\r\n");
  expect(rows.filter((row) => row.length > 60)).toEqual([]);
  expect(rows.filter((row) => row.includes("- action: action action")).length).toBeGreaterThan(0);
  expect(rows.filter((row) => /^(?:running|settling|done): \d+\/\d+,/.test(row)).length).toBeGreaterThan(1);
  expect(replay.screen()).toMatch(/replay rp_\w+ is done/);
  // oxlint-disable-next-line no-control-regex -- control codes are what must be absent
  expect(replay.screen()).not.toMatch(/(?!\r*\n)[\u0000-\u001F\u007F]/);
});
