import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { json } from "../support/run-cli.ts";
import { deploy, type Deployment, until } from "./support.ts";

let worker: Deployment;
let folder: string;
beforeEach(async () => {
  worker = await deploy();
  folder = await mkdtemp(join(tmpdir(), "receipts-"));
});
afterEach(async () => {
  await worker.stop();
  await rm(folder, { recursive: true });
});

const OLD_ID = "01a20aaa-0000-7000-8000-000000000001";
const replayOf = async (id: string) => (await worker.get(`/api/replays/${id}`)).json;
const idIn = (text: string) => /replay (rp_\w+)/.exec(text)?.[1] ?? "";

describe("a replay", () => {
  test("shows its plan first, sends what was not delivered once, and ends with a receipt", async () => {
    const ids = await worker.exhausted(3);
    const receipt = join(folder, "receipt.json");
    const { code, stdout, stderr } = await worker.cli([
      "dead-letters",
      "replay",
      "--all",
      "--yes",
      "--name",
      "outage",
      "--receipt",
      receipt,
    ]);
    expect(stderr).toMatch(/plan: send 3 dead letters at \d+ a second.*\nby class\n +3 +exhausted\n/s);
    expect(stderr).toMatch(/(running|settling|done): \d\/3/);
    expect(stdout).toMatch(/^replay rp_\w+ is done\n/);
    expect(stdout).toMatch(/delivered +3/);
    expect(code).toBe(0);
    expect(worker.stored()).toEqual([...ids].toSorted());
    expect(JSON.parse(await readFile(receipt, "utf8"))).toMatchObject({
      name: "outage",
      counts: { delivered: 3, failed_again: 0 },
      sha256: expect.any(String),
    });

    const again = await worker.cli(["dead-letters", "replay", ...ids, "--yes", "--json"]);
    expect(json(again)).toMatchObject({ replay: null, plan: { send: 0, skip_reasons: { delivered: 3 } } });
    expect(worker.stored()).toHaveLength(3);
  });

  test("--dry-run stops at the plan and stores nothing", async () => {
    await worker.rejected(2);
    const { code, stdout } = await worker.cli("dead-letters replay --class rejected --dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^plan: send 2 dead letters/);
    expect((await worker.get("/api/replays")).json.replays).toEqual([]);
    expect(worker.stored()).toEqual([]);
  });

  test("mends with --set, --drop and --map, and the plan shows the difference", async () => {
    const [id = ""] = await worker.rejected(1, { action: "user.create", metadata: { plan: "gold", seats: 3 } });
    const map = join(folder, "map.json");
    await writeFile(map, '{"targets.type": {"team": "workspace"}}');
    const mend = ["--set", "action=user.created", "--drop", "metadata.plan", "--map", map];
    const planned = await worker.cli(["dead-letters", "replay", id, "--dry-run", ...mend]);
    expect(planned.stdout).toContain("- action: user.create\n    + action: user.created\n");
    expect(planned.stdout).toContain("mending changes 1 and leaves 0 as they are");
    expect((await worker.cli(["dead-letters", "replay", id, "--yes", ...mend])).code).toBe(0);
    const [stored] = worker.workos.events();
    expect(stored?.event).toMatchObject({
      action: "user.created",
      targets: [{ type: "workspace" }],
      metadata: { event_id: id, seats: 3 },
    });
    expect(stored?.event.metadata).not.toHaveProperty("plan");
    expect(stored?.event.metadata["replay_id"]).toMatch(/^rp_/);
  });

  test("leaves out what may duplicate, and says so, until it is accepted", async () => {
    const [id = ""] = await worker.exhausted(1);
    const { stdout } = await worker.cli("dead-letters export --reveal");
    const old = stdout
      .replaceAll(id, OLD_ID)
      .replaceAll(/"(first_attempt_at|last_attempt_at|occurred_at)":"[^"]+"/g, (_all, name: string) => {
        return `"${name}":"${new Date(Date.now() - 25 * 3_600_000).toISOString()}"`;
      });
    await worker.cli("dead-letters import", old);
    const careful = await worker.cli("dead-letters replay --all --yes");
    expect(careful.stderr).toContain("1 event may be in WorkOS already; they are skipped");
    expect(careful.stderr).toMatch(/1 +WorkOS may hold it, and its 24 h window is over: needs --accept-duplicates/);
    expect(worker.stored()).toEqual([id]);
    const accepted = await worker.cli(`dead-letters replay ${OLD_ID} --yes --accept-duplicates`);
    expect(accepted.stderr).toContain("1 event may be in WorkOS already and may appear twice");
    expect(worker.stored()).toEqual([OLD_ID, id].toSorted());
  });

  test("fails with exit 1 where records failed again, and they are dead letters again", async () => {
    await worker.rejected(2);
    worker.workos.faults.add({ status: 400, body: { code: "invalid_audit_log", message: "no", errors: [] } });
    const { code, stdout } = await worker.cli("dead-letters replay --all --yes");
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed again +2/);
    expect(json(await worker.cli("dead-letters list --json")).dead_letters).toHaveLength(2);
  });

  test("--stop-on-error-rate stops it with exit 1, and --resume sends the rest", async () => {
    await worker.rejected(60);
    worker.workos.faults.add({ status: 400, body: { code: "invalid_audit_log", message: "no", errors: [] } });
    // It is judged from 20 records on: slow enough that these have long failed before the last is published.
    const stopped = await worker.cli("dead-letters replay --all --yes --rate 6 --stop-on-error-rate 0.1");
    expect(stopped.code).toBe(1);
    expect(stopped.stdout).toMatch(
      /^stopped: \d+ records failed again, more than --stop-on-error-rate\ncontinue with: .* --resume rp_/,
    );
    worker.workos.faults.clear();
    const resumed = json(await worker.cli(`dead-letters replay --resume ${idIn(stopped.stderr)} --json`));
    expect(resumed.replay).toMatchObject({ state: "done", progress: { total: 60 } });
    expect(resumed.replay.progress.failed_again).toBeGreaterThanOrEqual(20);
    expect(resumed.replay.progress.delivered).toBe(worker.stored().length);
    expect(worker.stored().length).toBeGreaterThan(0);
  });

  test("ids that nobody knows are exit 1 and send nothing", async () => {
    const { code, stderr, stdout } = await worker.cli("dead-letters replay 019ab0c4-0000-7000-8000-000000000000 --yes");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/1 +no such dead letter\nnothing to send\n$/);
  });

  test("a replay that nobody knows", async () => {
    expect(await worker.cli("dead-letters replay --resume rp_nobody")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error\[not_found\]/),
    });
  });
});

describe("Ctrl-C", () => {
  test("pauses the replay, and --resume ends it with every record once", async () => {
    const ids = await worker.rejected(12);
    const running = worker.start("dead-letters replay --all --yes --rate 1");
    await until(running.written, (text) => /running: [1-9]/.test(text));
    running.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    const id = idIn(stderr);
    expect(stdout).toMatch(
      new RegExp(`^paused after \\d+ of 12\ncontinue with: npx audit-forwarder dead-letters replay --resume ${id}\n$`),
    );
    expect(code).toBe(1);
    expect((await replayOf(id)).state).toBe("paused");
    expect(worker.stored().length).toBeLessThan(12);

    const resumed = await worker.cli(`dead-letters replay --resume ${id}`);
    expect(resumed.code).toBe(0);
    expect(worker.stored()).toEqual([...ids].toSorted());
  });

  test("a CLI that is killed leaves the replay running in the worker", async () => {
    const ids = await worker.rejected(4);
    const running = worker.start("dead-letters replay --all --yes --rate 4");
    await until(running.written, (text) => text.includes("replay rp_"));
    running.kill("SIGKILL");
    const { stderr } = await running.ended;
    await until(
      () => replayOf(idIn(stderr)),
      ({ state }) => state === "done",
    );
    expect(worker.stored()).toEqual([...ids].toSorted());
  });
});

describe("on a terminal", () => {
  test("it asks after the plan, shows a bar, and does nothing on a no", async () => {
    const ids = await worker.rejected(3);
    const refused = worker.terminal("dead-letters replay --all");
    await refused.shows("Send them? [y/N]");
    expect(refused.screen()).toContain("plan: send 3 dead letters");
    refused.write("\r");
    expect(await refused.exitCode).toBe(1);
    expect((await worker.get("/api/replays")).json.replays).toEqual([]);

    const agreed = worker.terminal("dead-letters replay --all --rate 2");
    await agreed.shows("[y/N]");
    agreed.write("yes\r");
    await agreed.shows(/[█░]+ +\d+% \| \d\/3 \| delivered \d/);
    expect(await agreed.exitCode).toBe(0);
    expect(agreed.screen()).toContain("is done");
    expect(worker.stored()).toEqual([...ids].toSorted());
  });
});
