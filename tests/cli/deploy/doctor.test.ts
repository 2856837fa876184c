/** A deploy to its end: the upload is a stand-in, everything after it is real. */
import { expect, it, onTestFinished } from "vitest";
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

it("exits 1 and names what is wrong when the doctor finds something, such as a key that WorkOS refuses", async () => {
  const delivery = await startDelivery();
  onTestFinished(() => delivery.stop());
  const account = await newAccount({ qstashUrl: delivery.queue.url, workosUrl: delivery.workos.url });
  const values = { ...delivery.variables, AUDIT_WORKER_URL: delivery.worker.url, WORKOS_API_KEY: "sk_test_wrong" };
  const file = await account.write(
    "secrets",
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
  );
  const { exitCode, stdout } = await runDeploy(["--secrets-file", file], account.env);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^✗ workos key /m);
  expect(stdout).toContain("✗ doctor     the worker is deployed, but a check failed; see above");
});
