import { expect, it } from "vitest";
import { upgradePlan } from "../../cli/upgrade/plan.ts";
import { makeProject } from "./support/project.ts";
import { json, runCli } from "./support/run-cli.ts";

const TEMPLATE =
  '[[durable_objects.bindings]]\nname = "LEDGER"\n\n[[migrations]]\ntag = "v1"\n\n[[migrations]]\ntag = "v2"\n';
const present = { own: "0.2.1", template: TEMPLATE, wranglerToml: TEMPLATE };

it("lists configuration, worker, policy and schemas in this order", () => {
  const wranglerToml = TEMPLATE.replace('\n[[migrations]]\ntag = "v2"\n', "");
  expect(upgradePlan({ ...present, worker: "0.1.0", policy: "0.1.0", wranglerToml })).toEqual([
    { part: "wrangler.toml", to: 'tag = "v2"' },
    { part: "worker", from: "0.1.0", to: "0.2.1" },
    { part: "policy", from: "0.1.0", to: "0.2.1" },
    { part: "schemas", to: "the actions of the new policy" },
  ]);
});

it("finds a binding that one environment writes in a line of its own", () => {
  const wranglerToml =
    '[env.staging.durable_objects]\nbindings = [\n  { name = "LEDGER", class_name = "Ledger" },\n]\ntag = "v1"\ntag = "v2"\n';
  expect(upgradePlan({ ...present, wranglerToml })).toEqual([]);
  expect(upgradePlan({ ...present, wranglerToml: wranglerToml.replace("LEDGER", "OTHER") })).toEqual([
    { part: "wrangler.toml", to: 'name = "LEDGER"' },
  ]);
});

it("has nothing to do for what is of this version, or not known", () => {
  expect(upgradePlan({ ...present, worker: "0.2.1", policy: "0.2.1" })).toEqual([]);
  expect(upgradePlan({ own: "0.2.1", template: TEMPLATE })).toEqual([]);
});

it.each(["0.3.0", "1.0.0"])("refuses to go back from %s, whose storage it does not know", (newer) => {
  for (const part of ["worker", "policy"] as const)
    expect(() => upgradePlan({ ...present, [part]: newer })).toThrow(
      expect.objectContaining({ code: "conflict", message: expect.stringContaining(`the ${part} is ${newer}`) }),
    );
});

it("goes back within a minor release, which changes nothing that is stored", () => {
  expect(upgradePlan({ ...present, worker: "0.2.9" })).toEqual([{ part: "worker", from: "0.2.9", to: "0.2.1" }]);
});

it("names what it could not look at, and the next command for an older policy", async () => {
  const project = await makeProject();
  await runCli(["init", project.directory]);
  const { read, directory } = project;
  const current = json(await runCli(["upgrade", directory, "--json"]));
  expect(current).toMatchObject({ changes: [], unknown: ['the worker was not asked; set "AUDIT_WORKER_URL"'] });
  const env = { AUDIT_WORKER_URL: "http://127.0.0.1:9" };
  const { stdout } = await runCli(["upgrade", directory], { env });
  expect(stdout).toContain("the worker at http://127.0.0.1:9 did not name its version");
  expect(await read("modules/audit-log.ts")).toContain(`audit-forwarder policy ${current.version} `);
  await project.remove();
});
