/** A project made by Zuplo's template, changed by `init` alone, runs in the real gateway and audits. */
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXAMPLE_PROJECT, type Gateway, startGateway } from "../../dev/gateway/gateway.ts";
import { makeProject, type Project } from "../cli/support/project.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { ADMIN_TOKEN, type LocalPath, startLocalPath, until } from "../worker/support/local-path.ts";

let path: LocalPath;
let project: Project;
let gateway: Gateway;
beforeAll(async () => {
  path = await startLocalPath();
  project = await makeProject();
  await runCli(["init", project.directory]);
  await symlink(join(EXAMPLE_PROJECT, "node_modules"), join(project.directory, "node_modules"), "dir");
  gateway = await startGateway({
    projectDir: project.directory,
    env: {
      QSTASH_URL: path.queue.url,
      QSTASH_TOKEN: path.queue.token,
      AUDIT_WORKER_URL: path.url,
      AUDIT_INGEST_KEY: "whsec_dGVzdC1pbmdlc3Qta2V5LTMyLWJ5dGVzLWxvbmchISE=",
      AUDIT_ORGANIZATION_ID: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
    },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await path?.stop();
  await project?.remove();
});

test("each request is one event, and trace finds it by the request id that the caller saw", async () => {
  const answer = await fetch(`${gateway.url}/todos/7`, { method: "DELETE" });
  const [event] = await until(
    () => path.workos.events(),
    (events) => events.length === 1,
  );
  expect(event?.event).toMatchObject({
    action: "delete-todo",
    actor: { id: "anonymous", type: "anonymous" },
    targets: [{ id: "/todos/{id}", type: "route" }],
    metadata: { http_method: "DELETE", http_route: "/todos/{id}", http_status: answer.status },
  });
  // WorkOS has the event before the worker has read its answer.
  await path.queue.idle();
  const env = { AUDIT_WORKER_URL: path.url, AUDIT_ADMIN_TOKEN: ADMIN_TOKEN };
  const requestId = answer.headers.get("zp-rid") ?? "";
  const traced = await runCli(["trace", requestId], { env });
  expect(traced).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/state +delivered\nwhere +accepted by WorkOS at /),
  });
  expect(gateway.logs()).not.toMatch(/invalid_option|missing_variable/);
});
