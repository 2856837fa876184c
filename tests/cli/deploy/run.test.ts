import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { deploy, type DeployOptions, type DeployPorts } from "../../../cli/deploy/run.ts";
import type { Step } from "../../../cli/deploy/step.ts";
import { verifierKeyOf } from "../../../cli/evidence/key.ts";
import { parseValues } from "../../../cli/deploy/variables.ts";
import { wranglerOf, type Variables } from "../../../cli/deploy/wrangler.ts";
import { suggestFrom } from "../../../cli/run/suggestion.ts";
import { newAccount, ROOT, type Account } from "./process.ts";

const VALUES = parseValues(
  [
    "WORKOS_API_KEY=sk_canary",
    "QSTASH_TOKEN=canary",
    "QSTASH_CURRENT_SIGNING_KEY=sig_canary",
    "QSTASH_NEXT_SIGNING_KEY=sig_canary2",
    "AUDIT_INGEST_KEY=whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5",
    "AUDIT_ADMIN_TOKEN=canary_canary_canary_canary",
  ].join("\n"),
);
const NONE = { secrets: {}, plain: {} };

interface Scene {
  readonly run: (options?: Partial<DeployOptions>) => ReturnType<typeof deploy>;
  readonly account: () => Promise<Account>;
  readonly toml: () => Promise<string>;
  readonly file: (name: string) => Promise<string>;
  readonly doctored: Variables[];
  readonly waited: string[];
}

/** An account, a copy of `wrangler.toml` that may be changed, and a doctor that notes what it was given. */
async function scene(
  state: object = {},
  ports: Partial<DeployPorts> & { readonly doctorExit?: number } = {},
): Promise<Scene> {
  const account = await newAccount(state);
  const root = await mkdtemp(join(tmpdir(), "deploy-root-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await copyFile(join(ROOT, "wrangler.toml"), join(root, "wrangler.toml"));
  const doctored: Variables[] = [];
  const waited: string[] = [];
  const io = {
    env: {},
    interactive: false,
    redraws: false,
    input: process.stdin,
    output: process.stdout,
    print: () => undefined,
    note: () => undefined,
    paint: (_: unknown, text: string) => text,
    suggest: suggestFrom(ROOT),
  };
  return {
    run: (options = {}) =>
      deploy(
        { environment: "staging", dryRun: false, directory: false, values: VALUES, ...options },
        {
          root,
          wrangler: wranglerOf(root, { ...process.env, ...account.env }),
          io,
          ask: () => Promise.reject(new Error("asked")),
          deployedJurisdiction: () => Promise.resolve(undefined),
          waitForWorker: async (url) => void waited.push(url),
          doctor: async (env) => {
            doctored.push(env);
            return { exitCode: ports.doctorExit ?? 0, output: "" };
          },
          onStep: () => undefined,
          ...ports,
        },
      ),
    account: account.read,
    toml: () => readFile(join(root, "wrangler.toml"), "utf8"),
    file: (name) => readFile(join(root, name), "utf8"),
    doctored,
    waited,
  };
}

const verbs = ({ calls }: Account): string[] =>
  calls.map(({ args }) =>
    args
      .filter((arg) => !arg.startsWith("-") && arg !== "staging")
      .slice(0, 3)
      .join(" "),
  );

describe("the first deploy", () => {
  it("sets the secrets on stdin before it uploads, then the worker's own URL, then runs the doctor with it", async () => {
    const { run, account, doctored, waited } = await scene();
    const deployed = await run();
    const after = await account();
    expect(deployed).toMatchObject({ ok: true, url: "https://audit-forwarder-staging.example.workers.dev" });
    expect(verbs(after)[0]).toMatch(/^deploy/);
    expect(verbs(after).slice(1)).toEqual(["secret list", "secret bulk", "deploy", "secret bulk"]);
    expect(after.secrets["audit-forwarder-staging"]).toEqual({
      ...VALUES.secrets,
      AUDIT_WORKER_URL: "https://audit-forwarder-staging.example.workers.dev",
    });
    expect(after.calls.flatMap(({ args }) => args).filter((arg) => /canary/.test(arg))).toEqual([]);
    expect(waited).toEqual(["https://audit-forwarder-staging.example.workers.dev"]);
    expect(doctored[0]).toMatchObject({
      AUDIT_WORKER_URL: waited[0],
      AUDIT_ADMIN_TOKEN: "canary_canary_canary_canary",
    });
  });

  it("keeps a URL that was given, such as a custom domain", async () => {
    const { run, account } = await scene();
    const values = { ...VALUES, secrets: { ...VALUES.secrets, AUDIT_WORKER_URL: "https://audit.example.com" } };
    expect(await run({ values })).toMatchObject({ url: "https://audit.example.com" });
    expect((await account()).secrets["audit-forwarder-staging"]?.["AUDIT_WORKER_URL"]).toBe(
      "https://audit.example.com",
    );
  });

  it("names the variable to set where the worker has no URL of its own", async () => {
    const { run } = await scene({ targets: ["schedule: */5 * * * *"] });
    await expect(run()).rejects.toMatchObject({
      code: "missing_variable",
      message: 'the deploy reports no URL; set "AUDIT_WORKER_URL" in the secrets file',
    });
  });

  it("finds a custom domain among the targets", async () => {
    const { run } = await scene({ targets: ["audit.example.com (custom domain)"] });
    expect(await run()).toMatchObject({ url: "https://audit.example.com" });
  });

  it("asks for each missing secret until it is right", async () => {
    const asked: string[] = [];
    const answers: Record<string, string[]> = { AUDIT_ADMIN_TOKEN: ["short", "a-token-that-is-long-enough"] };
    const io = {
      env: {},
      interactive: true,
      redraws: false,
      input: process.stdin,
      output: process.stdout,
      print: () => undefined,
      note: (line: string) => void asked.push(line),
      paint: (_: unknown, text: string) => text,
      suggest: suggestFrom(ROOT),
    };
    const { run, account } = await scene(
      {},
      {
        io,
        ask: async (name) => (asked.push(name), answers[name]?.shift() ?? "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5"),
      },
    );
    await run({ values: NONE });
    expect(asked.slice(-3)).toEqual([
      "AUDIT_ADMIN_TOKEN",
      '"AUDIT_ADMIN_TOKEN" must be 24 characters or more, without spaces',
      "AUDIT_ADMIN_TOKEN",
    ]);
    expect((await account()).secrets["audit-forwarder-staging"]?.["AUDIT_ADMIN_TOKEN"]).toBe(
      "a-token-that-is-long-enough",
    );
  });
});

describe("the second deploy", () => {
  it("needs no file, sets nothing again and leaves the account as it was", async () => {
    const { run, account } = await scene();
    await run();
    const before = await account();
    const deployed = await run({ values: NONE });
    const after = await account();
    expect(deployed.steps.map(({ name, state }) => [name, state])).toEqual([
      ["bundle", "done"],
      ["directory", "skipped"],
      ["secrets", "skipped"],
      ["deploy", "done"],
      ["doctor", "done"],
    ]);
    expect({ ...after, calls: [] }).toEqual({ ...before, calls: [] });
  });
});

describe("--evidence", () => {
  it("makes the bucket and the key, and writes the verifier key for auditors", async () => {
    const { run, account, toml, file } = await scene();
    const { steps } = await run({ evidence: true });
    expect((await account()).buckets).toEqual(["audit-forwarder-staging-evidence"]);
    const binding =
      '[[env.staging.r2_buckets]]\nbinding = "EVIDENCE"\nbucket_name = "audit-forwarder-staging-evidence"\n';
    expect((await toml()).endsWith(binding)).toBe(true);
    const [secrets] = Object.values((await account()).secrets);
    const verifier = verifierKeyOf(secrets?.["AUDIT_EVIDENCE_KEY"] ?? "", new URL(url(steps)).host + "/evidence");
    expect(await file("audit-evidence.pub")).toBe(`${verifier}\n`);
    expect(JSON.stringify(steps)).toContain(verifier);
    expect(JSON.stringify(steps)).toMatch(/commit \/[^"]+\/audit-evidence\.pub and give it to auditors/);
    expect(JSON.stringify(steps)).not.toContain("evk_");
  });

  it("keeps the key that the worker has, and takes a bucket that is there already", async () => {
    const { run, account, file } = await scene({ buckets: ["audit-forwarder-staging-evidence"] });
    await run({ evidence: true });
    const [before, pub] = [await account(), await file("audit-evidence.pub")];
    const { steps } = await run({ evidence: true, values: NONE });
    expect((await account()).secrets).toEqual(before.secrets);
    expect(await file("audit-evidence.pub")).toBe(pub);
    expect(steps.findLast(({ name }) => name === "evidence")).toMatchObject({ state: "skipped" });
  });
});

/** The URL that the deploy reports. */
function url(steps: readonly Step[]): string {
  return steps.find(({ name }) => name === "deploy")?.detail ?? "";
}

describe("--directory", () => {
  it("makes the namespace once and binds it in wrangler.toml", async () => {
    const { run, account, toml } = await scene();
    await run({ directory: true });
    expect((await account()).namespaces).toEqual([{ id: "kv0", title: "staging-audit-forwarder-directory" }]);
    expect(await toml()).toMatch(/\[\[env\.staging\.kv_namespaces\]\]\nbinding = "DIRECTORY"\nid = "kv0"\n$/);
  });

  it("takes a namespace that is there already", async () => {
    const { run, account, toml } = await scene({
      namespaces: [{ id: "old", title: "staging-audit-forwarder-directory" }],
    });
    await run({ directory: true });
    expect((await account()).namespaces).toHaveLength(1);
    expect(await toml()).toContain('id = "old"');
  });

  it("leaves wrangler.toml alone where it binds one", async () => {
    const { run, account, toml } = await scene({ bound: ["DIRECTORY"] });
    const before = await toml();
    const { steps } = await run({ directory: true });
    expect(steps[1]).toMatchObject({ name: "directory", state: "skipped" });
    expect([await toml(), (await account()).namespaces]).toEqual([before, []]);
  });
});

describe("a worker that is deployed already", () => {
  const URL_GIVEN = "https://audit.example.com";
  const values = { ...VALUES, secrets: { ...VALUES.secrets, AUDIT_WORKER_URL: URL_GIVEN } };

  it.each([
    ["eu", null, '"eu"', "no jurisdiction"],
    [null, "eu", "no jurisdiction", '"eu"'],
    ["eu", "fedramp", '"eu"', '"fedramp"'],
  ])("stays where it keeps its data: %s does not become %s", async (deployed, chosen, kept, wanted) => {
    const asked: string[] = [];
    const { run, account } = await scene(
      { jurisdiction: chosen, qstashUrl: "http://127.0.0.1:8080" },
      { deployedJurisdiction: (url) => (asked.push(url), Promise.resolve(deployed)) },
    );
    await expect(run({ values, evidence: true, directory: true })).rejects.toMatchObject({
      code: "invalid_variable",
      message:
        `the worker keeps its data in ${kept}, but "AUDIT_JURISDICTION" is ${wanted} here (asked ${URL_GIVEN}); ` +
        "a worker cannot move, so set it back in wrangler.toml, under [env.staging.vars]",
    });
    expect(asked).toEqual([URL_GIVEN]);
    expect(verbs(await account())).toEqual([expect.stringMatching(/^deploy/)]);
    expect(await account()).toMatchObject({ workers: [], buckets: [], namespaces: [], secrets: {} });
  });

  it("is deployed again if it says the same, and if it does not answer", async () => {
    const answers = ["eu", undefined];
    const { run } = await scene(
      { jurisdiction: "eu" },
      { deployedJurisdiction: () => Promise.resolve(answers.shift()) },
    );
    expect(await run({ values })).toMatchObject({ ok: true });
    expect(await run({ values })).toMatchObject({ ok: true });
    expect(answers).toEqual([]);
  });

  it("is not asked in a dry run", async () => {
    const deployedJurisdiction = () => Promise.reject(new Error("asked"));
    const { run } = await scene({}, { deployedJurisdiction });
    expect(await run({ values, dryRun: true })).toMatchObject({ ok: true });
  });
});

it("fails when the doctor finds something, after the worker is deployed", async () => {
  const { run, account } = await scene({}, { doctorExit: 1 });
  expect(await run()).toMatchObject({ ok: false });
  expect((await account()).workers).toEqual(["audit-forwarder-staging"]);
});
