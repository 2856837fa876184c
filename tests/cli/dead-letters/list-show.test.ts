import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { json, runCli } from "../support/run-cli.ts";
import { deploy, type Deployment } from "./support.ts";

let worker: Deployment;
let created: string;
let deleted: readonly string[];
beforeAll(async () => {
  worker = await deploy();
  [created = ""] = await worker.rejected(1, { action: "user.created", metadata: { plan: "gold-plan" } });
  deleted = await worker.rejected(2, { action: "user.deleted", organization: "org_02", route: "/users/{id}" });
});
afterAll(() => worker.stop());

describe("list", () => {
  test("shows the newest first, as a table and as the API's own JSON", async () => {
    const { stdout, code } = await worker.cli("dead-letters list");
    expect(code).toBe(0);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(rows[0]?.slice(0, 4)).toEqual(["event id", "parked at", "class", "state"]);
    expect(
      rows
        .slice(1)
        .map(([id]) => String(id))
        .toSorted(),
    ).toEqual([created, ...deleted].toSorted());
    expect(rows[3]?.slice(2)).toEqual([
      "rejected",
      "open",
      "400",
      "user.created",
      "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
      expect.stringContaining("http_400"),
    ]);
    const listed = json(await worker.cli("dead-letters list --json --limit 2"));
    expect(listed.dead_letters).toHaveLength(2);
    const next = json(await worker.cli(["dead-letters", "list", "--json", "--limit", "2", "--cursor", listed.cursor]));
    expect(next.dead_letters.map(({ event_id }: { event_id: string }) => event_id)).toEqual([created]);
  });

  test.each([
    ["--action user.created", 1],
    ["--action user.deleted --class rejected", 2],
    ["--class exhausted", 0],
    ["--class exhausted --class rejected", 3],
    ["--organization org_02", 2],
    ["--route /users/{id}", 2],
    ["--status 400", 3],
    ["--status 404", 0],
    ["--since 1h", 3],
    ["--until 1h", 0],
    ["--since 2026-01-01 --until 2126-01-01T00:00:00Z", 3],
    ["--state discarded", 0],
  ])("%s finds %i", async (filters, count) => {
    expect(json(await worker.cli(`dead-letters list --json ${filters}`)).dead_letters).toHaveLength(count);
  });

  test("counts by group", async () => {
    const { stdout } = await worker.cli("dead-letters list --group-by action");
    expect(stdout.split("\n").map((line) => line.split("\t").slice(0, 2).join(" "))).toEqual([
      "count action",
      "2 user.deleted",
      "1 user.created",
      "total 3",
      "",
    ]);
    expect(json(await worker.cli("dead-letters list --group-by organization --json"))).toMatchObject({
      total: 3,
      groups: [{ value: "org_02", count: 2 }, { count: 1 }],
    });
  });

  test("a cursor that is none is wrong use", async () => {
    const { code, stderr } = await worker.cli("dead-letters list --cursor nonsense");
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error\[wrong_use\]: .*"cursor"/) });
  });

  test("a wrong token is named", async () => {
    const env = { ...worker.env, AUDIT_ADMIN_TOKEN: "wrong" };
    const { code, stderr } = await runCli(["dead-letters", "list"], { env });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('the worker refuses "AUDIT_ADMIN_TOKEN"'),
    });
  });
});

describe("show", () => {
  test("tells why it failed, each attempt, and what to do, and hides what routes selected", async () => {
    const { code, stdout } = await worker.cli(`dead-letters show ${created}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^event id +${created}`));
    expect(stdout).toContain("WorkOS refused the event: it does not fit the schema registered for its action.");
    expect(stdout).toContain(`audit-forwarder dead-letters replay ${created}`);
    expect(stdout).toMatch(/hidden +record\.metadata\.plan \(shown with --reveal\)/);
    expect(stdout).toMatch(/\n1\t.*reject.*400/);
    expect(stdout).not.toContain("gold-plan");
    expect((await worker.cli(`dead-letters show ${created} --reveal`)).stdout).toContain("gold-plan");
    expect(json(await worker.cli(`dead-letters show ${created} --json`))).toMatchObject({
      event_id: created,
      why: expect.any(String),
      attempts_made: [{ status: 400 }],
    });
  });

  test("an id that is none", async () => {
    expect(await worker.cli("dead-letters show 019ab0c4-0000-7000-8000-000000000000")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^error\[not_found\]/),
    });
  });
});

describe("trace", () => {
  test("shows where a record is, by its event id", async () => {
    const { stdout, code } = await worker.cli(`trace ${created}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/state +dead_letter\nwhere +archive/);
    expect(stdout).toMatch(/\n1\t/);
    expect(json(await worker.cli(`trace ${created} --json`))).toMatchObject({
      event_id: created,
      state: "dead_letter",
      attempts: [{ status: 400 }],
    });
  });

  test("by its request id, which several records may share", async () => {
    const ids = await worker.rejected(2, { requestId: "req-of-the-client" });
    const found = json(await worker.cli("trace req-of-the-client --json"));
    expect(found.events.map(({ event_id }: { event_id: string }) => event_id).toSorted()).toEqual([...ids].toSorted());
  });

  test("by its request id, in the time it is told", async () => {
    await worker.rejected(1, { requestId: "req-of-now" });
    expect(await worker.cli("trace req-of-now --since 2h --until 1h")).toMatchObject({ code: 1 });
    expect(await worker.cli("trace req-of-now --since 2h")).toMatchObject({ code: 0 });
  });

  test("what nobody knows", async () => {
    expect(await worker.cli("trace nobody")).toMatchObject({
      code: 1,
      stderr:
        'error[not_found]: no record has the event id or request id "nobody"; one that still waits in QStash is not known yet, and an older request id needs "--since"\n',
    });
  });
});

describe("pause and resume", () => {
  test("say where QStash has not confirmed the pause", async () => {
    worker.queue.setFaults({ flow_control: { status: 500 } });
    const paused = await worker.cli("pause");
    worker.queue.clearFaults();
    expect(paused.stdout).toContain("QStash has not confirmed it yet");
    await worker.cli("resume");
  });

  test("switch delivery, and /health tells", async () => {
    const health = async () => (await worker.get("/health")).json;
    expect(await worker.cli("pause")).toMatchObject({ code: 0, stdout: expect.stringContaining("delivery is paused") });
    expect(await health()).toMatchObject({ status: "paused" });
    expect(json(await worker.cli("resume --json"))).toMatchObject({ paused: false });
    expect(await health()).toMatchObject({ paused: false });
  });
});
