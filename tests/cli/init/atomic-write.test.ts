import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeAll } from "../../../cli/init/atomic-write.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "write-"));
});
afterEach(() => rm(directory, { recursive: true }));

const at = (path: string) => join(directory, path);
const edit = (path: string, after: string, before?: string) => ({
  path,
  after,
  ...(before === undefined ? {} : { before }),
  kind: "edit" as const,
});

test.each([
  ["cannot be written beside its target", "file/inside/c.txt"],
  ["cannot take the place of its target", "folder"],
])("where one file %s, the others are as they were and nothing is left over", async (_name, blocked) => {
  await writeFile(at("a.txt"), "old");
  await writeFile(at("file"), "");
  await mkdir(at("folder/full"), { recursive: true });
  const before = await readdir(directory, { recursive: true });
  await expect(
    writeAll(directory, [edit("a.txt", "new", "old"), edit("b.txt", "new"), edit(blocked, "new")]),
  ).rejects.toThrow(/^E(NOTDIR|ISDIR|EXIST)/);
  expect(await readdir(directory, { recursive: true })).toEqual(before);
  expect(await readFile(at("a.txt"), "utf8")).toBe("old");
});

test("keeps a file's mode, and makes a new .env for its owner alone", async () => {
  await writeFile(at("a.txt"), "old");
  await chmod(at("a.txt"), 0o640);
  await writeAll(directory, [edit("a.txt", "new", "old"), edit("modules/b.txt", "new"), edit(".env", "new")]);
  const mode = async (path: string) => (await stat(at(path))).mode & 0o777;
  expect([await mode("a.txt"), await mode(".env")]).toEqual([0o640, 0o600]);
  expect(await readFile(at("modules/b.txt"), "utf8")).toBe("new");
});

test("writes through a link and leaves it one", async () => {
  await writeFile(at("shared.json"), "old");
  await symlink("shared.json", at("link.json"));
  await writeAll(directory, [edit("link.json", "new", "old")]);
  expect((await lstat(at("link.json"))).isSymbolicLink()).toBe(true);
  expect(await readFile(at("shared.json"), "utf8")).toBe("new");
});
