import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, type LocalPath, startLocalPath } from "../../worker/support/local-path.ts";
import { publishedBody } from "../../worker/support/published.ts";
import { recordOf } from "../../worker/support/records.ts";
import { programVersion } from "../../../cli/run/installation.ts";
import { CHECK_ACTION, CHECK_ISOLATE_ID, OPERATOR_ACTIONS } from "../../../shared/operator-actions.ts";
import { makeProject } from "../support/project.ts";
import { startRecordedApi } from "../support/recorded-api.ts";
import { json, runCli } from "../support/run-cli.ts";

const ORGANIZATION = "org_01EHWNCE74X7JSDV0X3SZ3KJNY";
/** As doctor's own event: where a resume delivers it, it is no dead letter, and it tells no version of a policy. */
const OWN_RECORD = {
  action: CHECK_ACTION,
  targets: [{ id: "worker", type: "worker" }],
  gateway: { isolateId: CHECK_ISOLATE_ID, policyVersion: "doctor" },
};
let path: LocalPath;
let env: Record<string, string>;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "doctor-"));
  path = await startLocalPath();
  env = {
    AUDIT_WORKER_URL: path.url,
    AUDIT_ADMIN_TOKEN: ADMIN_TOKEN,
    AUDIT_INGEST_KEY: "whsec_dGVzdC1pbmdlc3Qta2V5LTMyLWJ5dGVzLWxvbmchISE=",
    AUDIT_ORGANIZATION_ID: ORGANIZATION,
    WORKOS_API_KEY: path.workos.apiKey,
    WORKOS_BASE_URL: path.workos.url,
    QSTASH_URL: path.queue.url,
    QSTASH_TOKEN: path.queue.token,
    QSTASH_CURRENT_SIGNING_KEY: path.queue.currentSigningKey,
    QSTASH_NEXT_SIGNING_KEY: path.queue.nextSigningKey,
  };
  await registerOwnActions();
});
afterEach(async () => {
  path.workos.reset();
  await registerOwnActions();
});
afterAll(async () => {
  await path.stop();
  await rm(folder, { recursive: true });
});

async function registerOwnActions() {
  const schema = { targets: [{ type: "worker" }] };
  for (const action of Object.keys(OPERATOR_ACTIONS)) {
    const headers = { authorization: `Bearer ${path.workos.apiKey}`, "content-type": "application/json" };
    const url = `${path.workos.url}/audit_logs/actions/${action}/schemas`;
    await fetch(url, { method: "POST", headers, body: JSON.stringify(schema) });
  }
}

interface Result {
  readonly state: string;
  readonly detail: string;
  readonly fix?: string;
}

/** Runs doctor without the slow bundle; the results by the name of their check. */
async function doctor(variables: Record<string, string> = {}, ...args: string[]) {
  const ended = await runCli(["doctor", "--json", ...args], { env: { ...env, ...variables } });
  const { ok, checks } = json(ended) as { ok: boolean; checks: (Result & { check: string })[] };
  const results = Object.fromEntries(checks.map(({ check, ...result }) => [check, result])) as Record<string, Result>;
  return { code: ended.code, ok, results };
}

describe("a deployment that is well", () => {
  test("has no failed check, and one event of the doctor went all the way, by both paths once", async () => {
    const { code, ok, results } = await doctor();
    const bad = Object.entries(results).filter(([, { state }]) => state === "failed" || state === "warning");
    expect(bad).toEqual([]);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(
      Object.entries(results)
        .filter(([, { state }]) => state === "skipped")
        .map(([name]) => name),
    ).toEqual(["gateway", "same on both sides", "lock file", "region", "schemas"]);
    expect(results["retry horizon"]?.detail).toMatch(/^4 attempts over 20\.0 h/);
    const { version, commit } = programVersion();
    const build = `${version} (commit ${commit})`;
    expect(results["versions"]?.detail).toBe(`worker ${build}, this command ${build}`);
    expect(results["bundle"]?.detail).toMatch(/^the worker has \d+ kB gzip of 3000 kB$/);
    await path.queue.idle();
    expect(path.workos.events().map(({ event }) => event.action)).toEqual(["audit_forwarder.checked"]);
  });

  test("prints one line for each check", async () => {
    const { stdout, code } = await runCli(["doctor", "--skip-event"], { env });
    const lines = stdout.trimEnd().split("\n");
    expect(code).toBe(0);
    expect(lines).toHaveLength(20);
    expect(lines.slice(0, -1).every((line) => /^[✓!✗-] \S/.test(line))).toBe(true);
    expect(lines.at(-1)).toMatch(/^no check failed, \d+ skipped$/);
    for (const secret of [ADMIN_TOKEN, env["WORKOS_API_KEY"], env["QSTASH_TOKEN"], env["AUDIT_INGEST_KEY"]]) {
      expect(stdout).not.toContain(secret);
    }
  });
});

describe("what is wrong is found, with its fix", () => {
  test.each<[string, Record<string, string>, string, RegExp]>([
    [
      "a worker that is not there",
      { AUDIT_WORKER_URL: "http://127.0.0.1:9" },
      "worker",
      /does not answer; check "AUDIT_WORKER_URL"/,
    ],
    [
      "a wrong admin token",
      { AUDIT_ADMIN_TOKEN: "another-token-of-24-chars" },
      "admin token",
      /the worker refuses "AUDIT_ADMIN_TOKEN"/,
    ],
    [
      "signing keys of another account",
      { QSTASH_CURRENT_SIGNING_KEY: "sig_a", QSTASH_NEXT_SIGNING_KEY: "sig_b" },
      "signing keys",
      /neither key is QStash's/,
    ],
    ["a wrong QStash token", { QSTASH_TOKEN: "wrong" }, "signing keys", /QStash refuses "QSTASH_TOKEN"/],
    [
      "QStash elsewhere",
      { QSTASH_URL: "http://127.0.0.1:9" },
      "flow control",
      /QStash at http:\/\/127\.0\.0\.1:9 does not answer/,
    ],
    ["a wrong WorkOS key", { WORKOS_API_KEY: "sk_wrong" }, "workos key", /WorkOS refuses "WORKOS_API_KEY"/],
    [
      "another ingest key",
      { AUDIT_INGEST_KEY: "whsec_YW5vdGhlci1rZXktb2YtMzItYnl0ZXMtbG9uZyEhIQ==" },
      "ingest key",
      /refuses messages signed with it/,
    ],
    [
      "a malformed variable",
      { AUDIT_INGEST_KEY: "secret" },
      "variables",
      /"AUDIT_INGEST_KEY" must be "whsec_" and the base64 of 24 bytes/,
    ],
  ])("%s", async (_name, variables, check, message) => {
    const { code, results } = await doctor(variables);
    expect(code).toBe(1);
    expect(results[check]).toMatchObject({ state: "failed" });
    expect(`${results[check]?.detail}; ${results[check]?.fix}`).toMatch(message);
  });

  test("a key without permission", async () => {
    path.workos.keys.restrict(path.workos.apiKey);
    expect((await doctor({}, "--skip-event")).results["workos key"]).toEqual({
      state: "failed",
      detail: '"WORKOS_API_KEY" has no permission for audit logs',
    });
  });

  test("an organization that does not exist, and one whose audit log is off", async () => {
    path.workos.organizations.set(["org_other"]);
    const { results } = await doctor({}, "--skip-event");
    expect(results["organization"]).toMatchObject({
      state: "failed",
      detail: `WorkOS does not know the organization ${ORGANIZATION}`,
    });
    path.workos.organizations.set(undefined);
    path.workos.organizations.setState(ORGANIZATION, "disabled");
    expect((await doctor({}, "--skip-event")).results["organization"]?.detail).toContain("is disabled");
  });

  test("a delivery that is paused", async () => {
    await path.post("/api/pause");
    const { results } = await doctor({}, "--skip-event");
    const fix = "run: npx audit-forwarder resume";
    expect(results["worker"]).toEqual({
      state: "failed",
      detail: "delivery is paused: paused by an operator",
      fix,
    });
    expect(results["flow control"]).toMatchObject({ state: "failed", fix });
    await path.post("/api/resume");
  });

  test("a wrong API key in the worker, as the worker's own words", async () => {
    const reason = "WorkOS refuses the API key (http_401)";
    const pause = { by: "credential", reason };
    const server = await startRecordedApi(() => ({ json: { status: "paused", paused: true, pause } }));
    const { results } = await doctor({ AUDIT_WORKER_URL: server.url }, "--skip-event");
    await server.close();
    expect(results["worker"]).toEqual({
      state: "failed",
      detail: `delivery is paused: ${reason}`,
      fix: "correct the cause, then run: npx audit-forwarder resume",
    });
  });

  test("an outage of WorkOS, which needs nobody", async () => {
    const pause = { by: "breaker", reason: "WorkOS is down", next_probe_at: "2026-11-30T10:00:00.000Z" };
    const server = await startRecordedApi(() => ({ json: { status: "paused", paused: true, pause } }));
    await path.post("/api/pause");
    const { results } = await doctor({ AUDIT_WORKER_URL: server.url }, "--skip-event");
    await path.post("/api/resume");
    await server.close();
    const fix = "it resumes by itself once WorkOS is back";
    expect(results["worker"]).toEqual({
      state: "failed",
      detail: "delivery is paused by the breaker: WorkOS is down; next probe at 2026-11-30T10:00:00.000Z",
      fix,
    });
    expect(results["flow control"]).toEqual({
      state: "failed",
      detail: 'the breaker has paused the key "workos", 0 messages wait',
      fix,
    });
  });

  test("keys that QStash has rotated once are a warning", async () => {
    const { code, results } = await doctor(
      { QSTASH_NEXT_SIGNING_KEY: path.queue.currentSigningKey, QSTASH_CURRENT_SIGNING_KEY: "sig_old" },
      "--skip-event",
    );
    expect({ code, state: results["signing keys"]?.state }).toEqual({ code: 0, state: "warning" });
  });

  test("a clock ten minutes off", async () => {
    const late = new Date(Date.now() + 600_000).toUTCString();
    const server = await startRecordedApi(() => ({ json: { status: "ok", paused: false }, headers: { date: late } }));
    const { results } = await doctor({ AUDIT_WORKER_URL: server.url }, "--skip-event");
    await server.close();
    expect(results["clocks"]).toMatchObject({
      state: "failed",
      detail: expect.stringMatching(/^worker is (59\d|60\d) s ahead of /),
    });
  });

  test("an event that WorkOS refuses: named, and no dead letter is left", async () => {
    path.workos.faults.add({
      match: { action: "audit_forwarder.checked" },
      status: 400,
      body: { code: "invalid_audit_log", message: "no", errors: [] },
    });
    const { code, results } = await doctor();
    expect(code).toBe(1);
    expect(results["whole path"]?.detail).toMatch(/^WorkOS refuses the event: http_400.*schemas push/);
    expect((await path.get("/api/dead-letters")).json.dead_letters).toEqual([]);
    // The next look ends its incident, which the other tests would find.
    await path.scheduled();
    expect((await path.get("/health")).json.incidents).toEqual([]);
  });
});

describe("flow-control keys", () => {
  const at = (
    route: string,
    init: {
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    } = {},
  ) =>
    fetch(`${path.queue.url}${route}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${path.queue.token}` },
    });
  const publish = async (key: string, url: string, label = "audit-forwarder") =>
    at(`/v2/publish/${url}`, {
      method: "POST",
      headers: {
        "upstash-label": label,
        "upstash-flow-control-key": key,
        "upstash-flow-control-value": "parallelism=10",
      },
      body: await publishedBody([recordOf(OWN_RECORD)]),
    });

  test("of ours that differ from the worker's are named; those of others are not", async () => {
    for (const key of ["former", "somebody-else", "elsewhere"])
      await at(`/v2/flowControl/${key}/pause`, { method: "POST" });
    await publish("former", `${path.url}/deliver`);
    await publish("somebody-else", `${path.url}/deliver`, "another-system");
    await publish("elsewhere", "http://127.0.0.1:1/deliver");
    const { results } = await doctor({}, "--skip-event");
    expect(results["flow control"]).toEqual({
      state: "failed",
      detail: 'the worker uses the key "workos", but messages for it wait under others: 1 message under "former"',
      fix: 'make "flowControlKey" and "AUDIT_FLOW_CONTROL_KEY" equal, then run: npx audit-forwarder resume',
    });
    await path.post("/api/resume");
    await path.queue.idle();
    expect((await doctor({}, "--skip-event")).results["flow control"]?.state).toBe("ok");
  });

  test("are ours too if their messages have a former URL of the worker", async () => {
    await at("/v2/flowControl/moved/pause", { method: "POST" });
    await publish("moved", "http://127.0.0.1:2/old/deliver");
    const previous = { AUDIT_WORKER_URL_PREVIOUS: "http://127.0.0.1:3, HTTP://127.0.0.1:2/old/" };
    const { results } = await doctor(previous, "--skip-event");
    await at("/v2/messages?flowControlKey=moved", { method: "DELETE" });
    expect(results["flow control"]?.detail).toMatch(/1 message under "moved"$/);
  });
});

describe("before the deploy", () => {
  test("needs nothing, and says what it could not look at", async () => {
    const { code, stdout } = await runCli(["doctor"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/✓ retry horizon +4 attempts over 20\.0 h/);
    expect(stdout).toMatch(/- worker +not deployed yet/);
  });

  test("looks at the project, its options, its actions, and the plan of QStash", async () => {
    const project = await makeProject();
    await runCli(["init", project.directory]);
    const policies = await project.read("config/policies.json");
    await project.write(
      "config/policies.json",
      policies.replace('"maxRecords": 20', '"maxRecords": 20,\n"retries": 5, "flowControlKey": "other"'),
    );
    const lock = join(folder, "lock.json");
    const { code, results } = await doctor({}, project.directory, "--lock", lock, "--skip-event");
    expect(code).toBe(1);
    expect(results["gateway"]).toEqual({ state: "ok", detail: "4 of 4 routes are audited" });
    expect(results["retry horizon"]?.detail).toMatch(/^6 attempts over/);
    expect(results["queue plan"]).toMatchObject({ state: "warning", detail: expect.stringContaining("5 retries") });
    expect(results["flow control"]?.detail).toBe('the gateway uses the key "other", the worker "workos"');
    expect(results["lock file"]).toMatchObject({
      state: "failed",
      fix: `run: npx audit-forwarder schemas push ${project.directory} --lock ${lock}`,
    });
    expect(results["schemas"]?.detail).toMatch(
      /^\d+ actions are not registered as they are sent, and WorkOS may drop their events: /,
    );

    await runCli(["schemas", "push", project.directory, "--lock", lock], { env });
    const after = await doctor({}, project.directory, "--lock", lock, "--skip-event", "--plan", "payg");
    expect(after.results["lock file"]?.state).toBe("ok");
    expect(after.results["schemas"]?.state).toBe("ok");
    expect(after.results["queue plan"]?.state).toBe("ok");

    await project.write("config/policies.json", policies.replace("500", "5"));
    expect((await doctor({}, project.directory, "--skip-event")).results["gateway"]?.detail).toMatch(
      /^budgetMs must be/,
    );
    await project.remove();
  });

  test("compares the gateway's .env with the worker's secrets file, without a value", async () => {
    const project = await makeProject();
    await runCli(["init", project.directory]);
    const dotEnv = await project.read(".env");
    await project.write(".env", dotEnv.replace("QSTASH_TOKEN=", "QSTASH_TOKEN=one"));
    const secrets = join(folder, "secrets.env");
    await writeFile(secrets, "QSTASH_TOKEN=two\n");
    const { stdout } = await runCli(["doctor", project.directory, "--secrets-file", secrets]);
    expect(stdout).toMatch(/✗ same on both sides +QSTASH_TOKEN differ between "\.env" and here; give both sides/);
    expect(stdout).not.toMatch(/\b(one|two)\b/);
    await writeFile(secrets, "QSTASH_TOKEN=one\n");
    expect((await runCli(["doctor", project.directory, "--secrets-file", secrets])).stdout).toMatch(
      /✓ same on both sides +QSTASH_URL, QSTASH_TOKEN|✓ same on both sides +QSTASH_TOKEN/,
    );
    await project.remove();
  });

  test.each([
    ["a plan that is none", ["--plan", "gold"], "Invalid values: Argument: plan"],
    ["a secrets file that is not there", ["--secrets-file", "/nowhere"], '"--secrets-file" cannot be read'],
    ["a directory that is no project", ["/nowhere"], '"/nowhere" is not a directory'],
  ])("%s is wrong use", async (_name, args, message) => {
    expect(await runCli(["doctor", ...args])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(message),
    });
  });
});
