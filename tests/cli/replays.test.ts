/** `incidents` and `replays` against a real worker. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { deploy, type Deployment, until } from "./dead-letters/support.ts";
import { startRecordedApi } from "./support/recorded-api.ts";
import { json, runCli } from "./support/run-cli.ts";

let worker: Deployment;
let ids: readonly string[];
beforeAll(async () => {
  worker = await deploy();
  ids = await worker.rejected(10);
});
afterAll(() => worker?.stop());

/** A replay so slow that it does not end by itself while a test looks at it. */
async function startSlow(): Promise<string> {
  const { json: answer } = await worker.post("/api/replays", { all: true, rate: 0.1, name: "slow" });
  return String(answer.id);
}

test("incidents shows what is wrong, since when, and whether it is over", async () => {
  const { code, stdout } = await worker.cli("incidents");
  expect(code).toBe(0);
  const [heading, ...rows] = stdout.trimEnd().split("\n");
  expect(heading).toBe("incident\tsince\tuntil\toperators\tdetail");
  expect(rows).toContainEqual(expect.stringMatching(/^dead_letters_rejected\t\d{4}-\S+Z\topen\t-\t.+$/));
  const kinds = json(await worker.cli("incidents --json")).incidents.map(({ kind }: { kind: string }) => kind);
  expect(kinds).toContain("dead_letters_rejected");
});

test("a replay is listed, shown, paused, resumed and cancelled", async () => {
  const id = await startSlow();
  const [, row] = (await worker.cli("replays list")).stdout.split("\n");
  expect(row?.split("\t")).toEqual([
    id,
    "running",
    expect.any(String),
    "admin",
    "10",
    expect.any(String),
    "0",
    "0",
    "slow",
  ]);
  expect(json(await worker.cli("replays list --json --limit 1")).replays).toMatchObject([{ id }]);

  const paused = await worker.cli(`replays pause ${id}`);
  expect(paused).toMatchObject({ code: 0, stderr: "" });
  expect(paused.stdout).toMatch(/^state +paused$/m);
  expect(paused.stdout).toMatch(/^\S+Z\tpause\tadmin$/m);
  expect(paused.stdout).toContain(`audit-forwarder dead-letters replay --resume ${id}`);

  expect(json(await worker.cli(`replays resume ${id} --json`))).toMatchObject({ id, state: "running" });
  expect((await worker.cli(`replays cancel ${id}`)).code).toBe(0);
  await until(
    async () => (await worker.get(`/api/replays/${id}`)).json.state as string,
    (state) => state === "done",
  );
  const shown = await worker.cli(`replays show ${id}`);
  expect(shown.stdout).toMatch(/^state +done$/m);
  expect(shown.stdout).toMatch(/^\S+Z\tcancel\tadmin$/m);
  expect(shown.stdout).toMatch(/^\d+\tcancelled$/m);
  expect(shown.stdout).not.toContain("continue with");
  expect(ids.length).toBeGreaterThan(worker.stored().length);

  const again = await worker.cli(`replays pause ${id}`);
  expect(again).toMatchObject({ code: 1, stdout: "", stderr: "error[conflict]: the replay is done\n" });
});

test("a replay that nobody knows is one line and exit 1", async () => {
  for (const verb of ["show", "pause", "resume", "cancel"]) {
    const { code, stdout, stderr } = await worker.cli(`replays ${verb} rp_unknown`);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error\[not_found\]: .+\n$/);
  }
});

test.each([
  [["replays"], /"replays" needs one of its commands/],
  [["replays", "list", "--limit", "101"], /"--limit" must be a whole number from 1 to 100/],
  [["replays", "pause", ""], /"replay-id" must not be empty/],
  [["replays", "show", "../dead-letters"], /not_found/],
])("%j is refused", async (line, error) => {
  const { code, stderr } = await worker.cli(line);
  expect(code).toBeGreaterThan(0);
  expect(stderr).toMatch(error);
});

test("says who acted during an incident, and that there was none", async () => {
  const actions = ["bob", "ann", "bob"].map((by) => ({ action: "audit_forwarder.delivery_paused", by, at: "t" }));
  const past = { kind: "paused", detail: "delivery is paused", since: "t1", until: "t2", actions };
  const answers = [{ incidents: [past] }, { incidents: [] }];
  const api = await startRecordedApi((_call, index) => ({ json: answers[index] }));
  try {
    expect((await runCli(["incidents"], { env: api.env })).stdout).toContain(
      "paused\tt1\tt2\tbob, ann\tdelivery is paused\n",
    );
    expect((await runCli(["incidents"], { env: api.env })).stdout).toBe("no incidents in the last 30 days\n");
  } finally {
    await api.close();
  }
});
