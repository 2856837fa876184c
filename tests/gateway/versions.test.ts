/**
 * The policy on other versions of Zuplo than the project's. Each is installed from npm first, about 600 MB and a minute, so the tests
 * run only with `AUDIT_TEST_ZUPLO_VERSIONS=1`, as in CI.
 */
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { startGateway } from "../../dev/gateway/gateway.ts";
import { INGEST_KEY } from "./harness.ts";
import { policiesFile, routesFile } from "./routes.ts";
import { startSink } from "./sink.ts";

const INSTALL_MAX_MS = 300_000;
const MODULES = fileURLToPath(new URL("./project/modules/", import.meta.url));

interface Version {
  readonly zuplo: string;
  readonly compatibilityDate: string;
}

const VERSIONS: readonly Version[] = [
  { zuplo: "7.4.5", compatibilityDate: "2026-03-01" },
  // The newest date that this version knows.
  { zuplo: "6.21.0", compatibilityDate: "2024-09-02" },
];

/** A project of its own with one version of Zuplo; its packages are gone after the test. */
async function install({ zuplo, compatibilityDate }: Version): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "zuplo-version-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const manifest = { private: true, type: "module", dependencies: { zuplo, dotenv: "16.5.0" } };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(join(folder, "zuplo.jsonc"), JSON.stringify({ version: 1, compatibilityDate }));
  await writeFile(join(folder, "tsconfig.json"), "{}");
  await cp(MODULES, join(folder, "modules"), { recursive: true });
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status, stderr } = spawnSync("npm", args, { cwd: folder, encoding: "utf8", timeout: INSTALL_MAX_MS });
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  return folder;
}

describe.skipIf(process.env["AUDIT_TEST_ZUPLO_VERSIONS"] === undefined)("the policy works on", () => {
  it.each(VERSIONS)(
    "Zuplo $zuplo: a success, a refusal and a watchdog's record arrive",
    async (version) => {
      const projectDir = await install(version);
      const sink = await startSink();
      onTestFinished(() => sink.close());
      const situations = {
        account: { before: ["auth"] },
        members: { after: ["mustAuth"] },
        hole: { outbound: ["outboundThrows"] },
      };
      const gateway = await startGateway({
        projectDir,
        env: {
          SINK_URL: sink.url,
          QSTASH_URL: sink.url,
          QSTASH_TOKEN: "qstash-token",
          AUDIT_WORKER_URL: `${sink.url}/worker`,
          AUDIT_INGEST_KEY: INGEST_KEY,
          AUDIT_ORGANIZATION_ID: "org_default",
        },
        files: {
          // Version 6 expects the folder.
          ".zuplo/.keep": "",
          "config/routes.oas.json": routesFile(situations),
          "config/policies.json": policiesFile({ watchdogMs: 500 }),
        },
      });
      onTestFinished(() => gateway.stop());
      const call = (path: string, user?: string) =>
        fetch(`${gateway.url}/ours${path}`, { headers: user === undefined ? {} : { "x-test-user": user } });
      expect((await call("/account", "ada")).status).toBe(200);
      expect((await call("/members")).status).toBe(401);
      expect((await call("/hole")).status).toBe(500);
      await sink.waitForRecords(() => true, 3);
      expect(sink.records()).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ route: "/ours/account", status: 200, actor: { id: "ada", type: "user" } }),
          expect.objectContaining({ route: "/ours/members", status: 401, requestCount: 1 }),
          expect.objectContaining({ route: "/ours/hole", stage: "watchdog", outcome: "unknown" }),
        ]),
      );
    },
    INSTALL_MAX_MS + 120_000,
  );
});
