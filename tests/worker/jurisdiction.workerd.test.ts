/** A worker keeps its data where it was first used: inside workerd, with the real bindings, in place of Cloudflare's jurisdictions. */
import { expect, it } from "vitest";
import { environmentOf, type PlatformEnv } from "../../worker/env.ts";
import { checkJurisdiction } from "../../worker/jurisdiction-check.ts";
import type { Monitor } from "../../worker/monitor/monitor.ts";
import { workerEnv } from "./support/api.workerd.ts";

const NAMES = ["LEDGER", "OUTBOX", "ARCHIVE", "MONITOR", "EVIDENCE_LOG"] as const;

/** workerd has no jurisdictions, so each is a world of names of its own here, as at Cloudflare. `world` keeps the tests apart. */
function namespace(real: DurableObjectNamespace, world: string, jurisdiction = ""): DurableObjectNamespace {
  return {
    getByName: (name: string) => real.getByName(`${world} ${jurisdiction} ${name}`),
    jurisdiction: (wanted: string) => namespace(real, world, wanted),
  } as unknown as DurableObjectNamespace;
}

/** The environment of a new isolate after a deploy with this jurisdiction. */
function isolate(world: string, jurisdiction?: string): PlatformEnv {
  const namespaces = NAMES.map((name) => [name, namespace(workerEnv[name], world)]);
  return { ...workerEnv, ...Object.fromEntries(namespaces), ...(jurisdiction && { AUDIT_JURISDICTION: jurisdiction }) };
}

const monitorOf = ({ MONITOR }: PlatformEnv, name: string) =>
  (MONITOR as DurableObjectNamespace<Monitor>).getByName(name);

async function check(world: string, jurisdiction?: string): Promise<void> {
  const platform = isolate(world, jurisdiction);
  // Objects that take more than five seconds to start are not waited for, so these have started before they are asked.
  for (const name of ["jurisdiction", "monitor"]) await monitorOf(platform, name).status();
  await checkJurisdiction(environmentOf(platform));
}

it("puts every kind of object into the jurisdiction, and none without one", () => {
  const platform = isolate("kinds", "eu");
  const regional = environmentOf(platform);
  for (const name of NAMES) expect(regional[name], name).not.toBe(platform[name]);
  expect(environmentOf(platform)).toBe(regional);
  const plain = isolate("kinds");
  for (const name of NAMES) expect(environmentOf(plain)[name], name).toBe(plain[name]);
});

it("names every namespace that the worker has", () => {
  const found = Object.keys(workerEnv).filter(
    (name) => (workerEnv[name] as object).constructor.name === "DurableObjectNamespace",
  );
  expect(found.toSorted()).toEqual([...NAMES].toSorted());
});

it.each([
  ["eu", "fedramp", '"AUDIT_JURISDICTION" is set to "fedramp", but this worker keeps its data in "eu"'],
  ["eu", undefined, '"AUDIT_JURISDICTION" is set to no jurisdiction, but this worker keeps its data in "eu"'],
  [undefined, "eu", '"AUDIT_JURISDICTION" is set to "eu", but this worker keeps its data in no jurisdiction'],
])("refuses to serve if %s becomes %s, and serves again once it is set back", async (first, later, message) => {
  const world = `${first} to ${later}`;
  await check(world, first);
  await expect(check(world, later)).rejects.toMatchObject({
    code: "invalid_variable",
    message: expect.stringContaining(message),
  });
  await expect(check(world, first)).resolves.toBeUndefined();
});

it("does not take a jurisdiction from a worker that already has data without one", async () => {
  await monitorOf(isolate("older release"), "monitor").round({ isSwept: true });
  await expect(check("older release", "eu")).rejects.toMatchObject({ code: "invalid_variable" });
});

it("goes on if the stored jurisdiction cannot be read", async () => {
  const broken = { getByName: () => ({ jurisdiction: () => Promise.reject(new Error("overloaded")) }) };
  const platform = { ...isolate("broken"), MONITOR: broken as unknown as DurableObjectNamespace };
  await expect(checkJurisdiction(environmentOf(platform))).resolves.toBeUndefined();
});
