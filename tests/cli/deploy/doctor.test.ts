/** A deploy to its end: the upload is a stand-in, everything after it is real. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startDelivery } from "../../docs/delivery.ts";
import { newAccount, runDeploy } from "./process.ts";

it("ends with a green doctor, whose event went through queue, worker and WorkOS", async () => {
  const delivery = await startDelivery();
  onTestFinished(() => delivery.stop());
  const account = await newAccount({ qstashUrl: delivery.queue.url, workosUrl: delivery.workos.url });
  const file = await account.write(
    "secrets",
    Object.entries({
      ...delivery.variables,
      AUDIT_WORKER_URL: delivery.worker.url,
      AUDIT_ORGANIZATION_ID: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
    })
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
  );
  const { exitCode, stdout, stderr } = await runDeploy(["--secrets-file", file, "--json"], account.env);
  expect([exitCode, stderr]).toEqual([0, ""]);
  const report = JSON.parse(stdout) as { ok: boolean; doctor: { checks: { check: string; state: string }[] } };
  expect(report.ok).toBe(true);
  expect(report.doctor.checks.filter(({ state }) => state === "failed")).toEqual([]);
  expect(delivery.workos.events()).toHaveLength(1);
  expect(report.doctor.checks).toContainEqual(expect.objectContaining({ check: "whole path", state: "ok" }));
});

describe("with one worker", () => {
  let delivery: Awaited<ReturnType<typeof startDelivery>>;
  beforeAll(async () => {
    delivery = await startDelivery();
  });
  afterAll(() => delivery.stop());

  async function deployTo(variables: Readonly<Record<string, string>>, state: object = {}) {
    const account = await newAccount({ qstashUrl: delivery.queue.url, workosUrl: delivery.workos.url, ...state });
    const values = { ...delivery.variables, AUDIT_WORKER_URL: delivery.worker.url, ...variables };
    const lines = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    const file = await account.write("secrets", lines.join("\n"));
    return { ...(await runDeploy(["--secrets-file", file], account.env)), account: await account.read() };
  }

  it("exits 1 and names what is wrong when the doctor finds something, such as a key that WorkOS refuses", async () => {
    const { exitCode, stdout } = await deployTo({ WORKOS_API_KEY: "sk_test_wrong" });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^✗ workos key /m);
    expect(stdout).toContain("✗ doctor     the worker is deployed, but a check failed; see above");
  });

  it("exits 1 before it changes anything if the worker would move to another jurisdiction", async () => {
    const { exitCode, stderr, account } = await deployTo({}, { jurisdiction: "eu" });
    expect([exitCode, stderr]).toEqual([
      1,
      'error[invalid_variable]: the worker keeps its data in no jurisdiction, but "AUDIT_JURISDICTION" is "eu" here (asked ' +
        `${delivery.worker.url}); a worker cannot move, so set it back in wrangler.toml, under [env.staging.vars]\n`,
    ]);
    expect(account).toMatchObject({ workers: [], secrets: {} });
  });
});
