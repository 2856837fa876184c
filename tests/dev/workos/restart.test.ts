import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { call, eventBody, postEvent, started } from "./harness.ts";

function file(): string {
  const directory = mkdtempSync(join(tmpdir(), "workos-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, "workos.db");
}

const SCHEMAS = "/audit_logs/actions/team.member_added/schemas";

test("events, kept answers and schema versions are back after a restart", async () => {
  const path = file();
  const first = await started({ path });
  await call(first, SCHEMAS, { targets: [{ type: "team" }] });
  await call(first, SCHEMAS, { targets: [{ type: "user" }] });
  await postEvent(first, eventBody("e1"), { key: "e1" });
  await postEvent(first, eventBody("e2", { version: 2 }), { key: "e2" });
  const listed = await call(first, SCHEMAS);
  const events = first.events();
  await first.stop();

  const second = await started({ path });
  expect(second.events()).toEqual(events);
  expect((await call(second, SCHEMAS)).json).toEqual(listed.json);
  expect((await postEvent(second, eventBody("e1"), { key: "e1" })).status).toBe(200);
  expect((await postEvent(second, eventBody("e2"), { key: "e2" })).status).toBe(400);
  expect(second.requests().map((request) => request.outcome)).toEqual(["answered", "replayed", "replayed"]);
  expect(second.events()).toHaveLength(1);
});

test("a kept answer expires over a restart as well", async () => {
  const path = file();
  const first = await started({ path });
  await postEvent(first, eventBody("e1"), { key: "e1" });
  await first.stop();
  const second = await started({ path, clock: { now: () => Date.now() + 24 * 3_600_000 } });
  await postEvent(second, eventBody("e1"), { key: "e1" });
  expect(second.events()).toHaveLength(2);
});

test("a reset empties the file", async () => {
  const path = file();
  const first = await started({ path });
  await postEvent(first, eventBody("e1"));
  first.reset();
  await first.stop();
  expect((await started({ path })).events()).toEqual([]);
});

test("without a file a restart begins empty", async () => {
  const first = await started();
  await postEvent(first, eventBody("e1"));
  await first.stop();
  expect((await started()).events()).toEqual([]);
});

test("two stand-ins know nothing of each other", async () => {
  const [one, other] = [await started({ organizations: ["org_1"] }), await started()];
  one.faults.add({ status: 500 });
  expect((await postEvent(other, eventBody("e1"), { key: "e1" })).status).toBe(200);
  expect([one.events().length, other.events().length]).toEqual([0, 1]);
});
