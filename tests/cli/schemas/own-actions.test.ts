/** The forwarder's own events fit the schemas that `schemas push` registers for them, even where WorkOS is as strict as it can be. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OPERATOR_ACTIONS } from "../../../shared/operator-actions.ts";
import { deploy, type Deployment, until } from "../dead-letters/support.ts";
import { makeProject, type Project, TWO_ROUTES } from "../support/project.ts";
import { runCli } from "../support/run-cli.ts";

let worker: Deployment;
let project: Project;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "own-"));
  [worker, project] = await Promise.all([
    deploy({ AUDIT_ORGANIZATION_ID: "org_01EHWNCE74X7JSDV0X3SZ3KJNY" }),
    makeProject({ "config/a.oas.json": TWO_ROUTES }),
  ]);
});
afterEach(async () => {
  await Promise.all([worker.stop(), project.remove(), rm(folder, { recursive: true })]);
});

test("each thing that an operator does is an event that WorkOS takes", async () => {
  // All of them now: later, an event about the operator could be rejected in place of a record.
  const [first = "", second = "", third = ""] = await worker.rejected(3);
  const env = {
    ...worker.env,
    WORKOS_API_KEY: worker.workos.apiKey,
    WORKOS_BASE_URL: worker.workos.url,
    QSTASH_URL: worker.queue.url,
    QSTASH_TOKEN: worker.queue.token,
    AUDIT_ORGANIZATION_ID: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
  };
  await runCli(["init", project.directory]);
  await runCli(["schemas", "push", project.directory, "--lock", join(folder, "lock.json")], { env });
  Object.assign(worker.workos.knobs, { strictSchemas: true, closedMetadata: true });

  await worker.cli(["dead-letters", "discard", first, "--reason", "made by a test"]);
  await worker.cli(`dead-letters show ${second} --reveal`);
  const exported = join(folder, "letters.jsonl");
  await worker.cli(`dead-letters export --reveal --output ${exported}`);
  await writeFile(
    exported,
    (await readFile(exported, "utf8")).replaceAll(second, "01a20aaa-0000-7000-8000-000000000001"),
  );
  await worker.cli(`dead-letters import ${exported}`);
  await worker.cli(
    `dead-letters discard --since ${new Date(0).toISOString()} --action nothing.like_it --reason test --yes`,
  );
  await worker.post("/api/dead-letters/discard", { event_ids: [third], reason: "made by a test" });
  await worker.cli("pause");
  await worker.cli("resume");
  // No delivery ends the replay before it is cancelled: once resumed, it publishes its second message at once.
  await worker.switchFlow("pause");
  const running = worker.start(`dead-letters replay ${second} 01a20aaa-0000-7000-8000-000000000001 --yes --rate 0.1`);
  await until(running.written, (text) => text.includes("replay rp_"));
  const [, id = ""] = /replay (rp_\w+)/.exec(running.written()) ?? [];
  for (const verb of ["pause", "resume", "cancel"]) await worker.post(`/api/replays/${id}/${verb}`);
  await worker.switchFlow("resume");
  await worker.queue.idle();
  // The replay looks for its results again after a while.
  await worker.advanceWorker(60_000);
  await running.ended;
  await runCli(["doctor"], { env });

  const seen = () =>
    new Set(
      worker.workos
        .events()
        .map(({ event }) => event.action)
        .filter((action) => action in OPERATOR_ACTIONS),
    );
  // No operator sends the checkpoint; see tests/worker/evidence/anchors.test.ts.
  const expected = Object.keys(OPERATOR_ACTIONS).filter((action) => action !== "audit_forwarder.checkpoint");
  // An event that was sent while delivery was paused is tried again later.
  const seenLater = () => {
    worker.clock.advance(10_000);
    return seen();
  };
  await until(seenLater, (actions) => actions.size === expected.length).catch(() => undefined);
  expect([...seen()].toSorted()).toEqual(expected.toSorted());
});
