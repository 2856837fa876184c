import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AuditError } from "../../../../shared/errors.ts";
import { openDatabase, type Database } from "../../../../dev/queue/store/database.ts";
import { openMessage } from "../../../../dev/queue/store/messages.ts";
import { SCHEMA_STEPS } from "../../../../dev/queue/store/schema.ts";
import { addEndpoints } from "../../../../dev/queue/store/url-groups.ts";
import { newFolder } from "../process.ts";

let folder: string;
let path: string;
let database: Database;
beforeEach(() => {
  folder = newFolder();
  path = join(folder, "queue.sqlite");
  database = openDatabase(path);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const set = (name: string) => database.run("INSERT INTO setting VALUES (?, 'v')", name);
const names = () => database.all<{ name: string }>("SELECT name FROM setting ORDER BY name").map((row) => row.name);

test("a change is seen at once, and its answer comes only with the commit that its whole turn shares", async () => {
  const done: string[] = [];
  const first = database.write(() => set("a")).then(() => done.push("a"));
  const second = database.write(() => set("b")).then(() => done.push("b"));
  expect(names()).toEqual(["a", "b"]);
  await Promise.resolve();
  expect(done).toEqual([]);
  await Promise.all([first, second]);
  expect(done).toEqual(["a", "b"]);
});

test("a change that fails takes back only itself", async () => {
  const good = database.write(() => set("good"));
  const bad = database.write(() => {
    set("half");
    throw new Error("no");
  });
  const alsoGood = database.write(() => set("also good"));
  await expect(bad).rejects.toThrow("no");
  await Promise.all([good, alsoGood]);
  expect(names()).toEqual(["also good", "good"]);
});

test("what was written is there after closing in the same turn", () => {
  void database.write(() => set("last"));
  database.close();
  database = openDatabase(path);
  expect(names()).toEqual(["last"]);
});

test("a commit flushes to disk, as a power cut would ask for", () => {
  expect(database.one("PRAGMA synchronous")).toEqual({ synchronous: 2 });
  expect(database.one("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
});

test("a file of the first version keeps its messages and gets what later versions added", async () => {
  const old = join(folder, "old.sqlite");
  const sqlite = new DatabaseSync(old);
  sqlite.exec(String(SCHEMA_STEPS[0]));
  sqlite.exec(`INSERT INTO message (id, state, lane, due_at, retried, url, host, path, caller_ip, created_at, not_before,
    options, body) VALUES ('msg_1', 'pending', '', 5, 2, 'https://a.example/b', 'a.example', '/b', '::1', 3, 5, '{}', 'x')`);
  sqlite.close();
  for (const opening of ["first", "second"]) {
    const opened = openDatabase(old);
    expect({ opening, message: openMessage(opened, "msg_1") }).toMatchObject({
      opening,
      message: { id: "msg_1", retried: 2, url: "https://a.example/b", urlGroup: undefined },
    });
    await opened.write(() => addEndpoints(opened, `group-${opening}`, [{ url: "https://a.example/b" }], 7));
    opened.close();
  }
});

test("a file of a newer version is refused", () => {
  const newer = join(folder, "newer.sqlite");
  const sqlite = new DatabaseSync(newer);
  sqlite.exec("PRAGMA user_version = 999");
  sqlite.close();
  expect(() => openDatabase(newer)).toThrow(
    new AuditError(
      "database_unreadable",
      `"${newer}" cannot be opened (a newer version of the queue wrote it): choose another "--path"`,
    ),
  );
});

test("a second queue on the same file is refused", () => {
  expect(() => openDatabase(path)).toThrow(
    expect.objectContaining({ code: "database_in_use", constructor: AuditError }) as Error,
  );
});

test("every number that only grows keeps growing after the newest row is gone", async () => {
  const add = () =>
    database.write(() => {
      const { id } = database.run(
        `INSERT INTO message (id, state, lane, due_at, retried, url, host, path, caller_ip, created_at, not_before, options, body)
         VALUES ('m', 'pending', '', 0, 0, '', '', '', '', 0, 0, '{}', x'')`,
      );
      return id;
    });
  const first = await add();
  await database.write(() => database.run("DELETE FROM message"));
  expect(await add()).toBe(first + 1);
});

test.each([
  [
    "due messages of a lane",
    "SELECT seq FROM message WHERE lane = ? AND state = 'pending' AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
    "message_due",
  ],
  [
    "the head of a queue",
    "SELECT seq, due_at, state FROM message WHERE lane = ? AND ended_at IS NULL ORDER BY seq LIMIT ?",
    "message_open",
  ],
  ["a page of the dead-letter queue", "SELECT * FROM message WHERE dlq_seq > ? ORDER BY dlq_seq LIMIT ?", "dlq_order"],
  ["dead letters to forget", "SELECT seq FROM message WHERE dlq_seq IS NOT NULL AND ended_at < ?", "dlq_time"],
  ["log entries of a message", "SELECT * FROM event WHERE message_seq = ? ORDER BY seq DESC", "event_message"],
])("%s are found through an index, without sorting", (_, sql, index) => {
  const plan = JSON.stringify(database.all(`EXPLAIN QUERY PLAN ${sql}`, ...(sql.match(/\?/g) ?? []).map(() => 1)));
  expect(plan).toMatch(new RegExp(`USING (COVERING )?INDEX ${index}`));
  expect(plan).not.toContain("TEMP B-TREE");
});
