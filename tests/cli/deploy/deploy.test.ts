import { spawnSync } from "node:child_process";
import { chmod } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { newAccount, ROOT, runDeploy } from "./process.ts";

const SECRETS = [
  "WORKOS_API_KEY=sk_canary_1",
  "QSTASH_TOKEN=canary_2",
  "QSTASH_CURRENT_SIGNING_KEY=sig_canary_3",
  "QSTASH_NEXT_SIGNING_KEY=sig_canary_4",
  "AUDIT_INGEST_KEY=whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5",
  "AUDIT_ADMIN_TOKEN=canary_6_canary_6_canary_6",
].join("\n");

describe("a dry run", () => {
  it("bundles with the real wrangler and prints each step, and changes nothing", async () => {
    const { exitCode, stdout, stderr } = await runDeploy(["--env", "production", "--dry-run", "--json"], {
      WRANGLER: "",
    });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as { worker: string; steps: { name: string; state: string; detail: string }[] };
    expect(report.worker).toBe("audit-forwarder-production");
    expect(report.steps.map(({ name, state }) => [name, state])).toEqual([
      ["bundle", "done"],
      ["directory", "skipped"],
      ["secrets", "would"],
      ["deploy", "would"],
      ["worker url", "would"],
      ["doctor", "would"],
    ]);
    expect(report.steps[0]?.detail).toMatch(/^audit-forwarder-production, \d+\.\d kB gzip of 3000 kB$/);
  });

  it("asks nothing of Cloudflare but the bundle, and shows the names of secrets without their values", async () => {
    const account = await newAccount();
    const file = await account.write(
      "secrets",
      `${SECRETS}\nQSTASH_URL=https://qstash.upstash.io\nAUDIT_PSEUDONYM_KEYS=a:canary`,
    );
    const { exitCode, stdout } = await runDeploy(["--dry-run", "--directory", "--secrets-file", file], account.env);
    expect(exitCode).toBe(0);
    expect((await account.read()).calls.map(({ args }) => args.slice(0, 2))).toEqual([["deploy", "--dry-run"]]);
    expect(stdout).toContain("would run: npm run wrangler -- secret bulk --env staging");
    expect(stdout).toContain("on stdin: WORKOS_API_KEY, QSTASH_TOKEN");
    expect(stdout).toContain("would run: npm run wrangler -- deploy --env staging\n");
    expect(stdout).toContain(
      "would run: npm run wrangler -- kv namespace create audit-forwarder-directory --env staging",
    );
    expect(stdout).not.toContain("canary");
    expect(stdout.trimEnd().endsWith("dry run: nothing was changed")).toBe(true);
  });

  it.each([
    ["https://qstash-us-east-1.upstash.io", undefined, 1],
    ["HTTPS://QStash.Upstash.io:443/", undefined, 0],
    ["https://qstash-eu-central-1.upstash.io", "https://qstash-eu-central-1.upstas...", 0],
    ["https://qstash-us-east-1.upstash.io", "https://qstash-eu-central-1.upstas...", 1],
  ])(
    "with QSTASH_URL=%s in the file and %s in wrangler.toml exits %i: the next deploy may come without the file",
    async (given, qstashUrl, code) => {
      const account = await newAccount({ qstashUrl });
      const file = await account.write("secrets", `QSTASH_URL=${given}`);
      const { exitCode, stderr } = await runDeploy(["--dry-run", "--secrets-file", file], account.env);
      expect(exitCode).toBe(code);
      expect(stderr).toBe(
        code === 0
          ? ""
          : 'error[invalid_variable]: "QSTASH_URL" differs from wrangler.toml; set it there, under [env.staging.vars]\n',
      );
    },
  );

  it("refuses a bundle that Cloudflare would not take", async () => {
    const account = await newAccount({ gzipBytes: 3_000_001 });
    const { exitCode, stderr } = await runDeploy(["--dry-run"], account.env);
    expect([exitCode, stderr]).toEqual([
      1,
      "error[payload_too_large]: the bundle has 3000001 bytes after gzip; Cloudflare accepts 3000000\n",
    ]);
  });
});

describe("wrong use", () => {
  const cases: readonly (readonly [name: string, args: readonly string[], says: string])[] = [
    ["an unknown environment", ["--env", "prod"], 'Given: "prod"'],
    ["an unknown option", ["--force"], "Unknown argument: force"],
    ["a stray word", ["staging"], "Unknown argument: staging"],
    ["a file that is not there", ["--secrets-file", "nowhere"], '"--secrets-file" cannot be read (ENOENT): nowhere'],
    ["an option without its value", ["--secrets-file"], "Not enough arguments following: secrets-file"],
  ];
  it.each(cases)("%s exits 2, says so in one line, and wrangler is not run", async (_name, args, says) => {
    const account = await newAccount();
    const { exitCode, stderr } = await runDeploy(args, account.env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("error[wrong_use]: ");
    expect(stderr).toContain(says);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect((await account.read()).calls).toEqual([]);
  });

  it("names each wrong variable of the secrets file and shows no value", async () => {
    const account = await newAccount();
    const file = await account.write(
      "secrets",
      "WORKOS_API_KYE=canary\nAUDIT_INGEST_KEY=canary\nAUDIT_ADMIN_TOKEN=canary",
    );
    const { exitCode, stderr, stdout } = await runDeploy(["--secrets-file", file, "--json"], account.env);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      'error[wrong_use]: the secrets file is wrong: "AUDIT_ADMIN_TOKEN" must be 24 characters or more, without spaces; ' +
        '"AUDIT_INGEST_KEY" must be "whsec_" and the base64 of 24 bytes or more; "WORKOS_API_KYE" is not a variable of the worker\n',
    );
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "wrong_use" } });
  });

  it("--help lists every option and exits 0", async () => {
    const { exitCode, stdout } = await runDeploy(["--help"]);
    expect(exitCode).toBe(0);
    for (const option of ["--env", "--dry-run", "--secrets-file", "--directory", "--json"])
      expect(stdout).toContain(option);
  });
});

describe("a deploy that cannot go on", () => {
  it("names the secrets that are missing and uploads nothing where nobody can be asked", async () => {
    const account = await newAccount({
      secrets: { "audit-forwarder-staging": { WORKOS_API_KEY: "x", QSTASH_TOKEN: "x" } },
    });
    const { exitCode, stderr } = await runDeploy([], account.env);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      "error[missing_variable]: missing secrets: QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY, AUDIT_INGEST_KEY, " +
        'AUDIT_ADMIN_TOKEN; put them into a file for "--secrets-file"\n',
    );
    expect((await account.read()).workers).toEqual([]);
  });

  it.each(["deploy", "secret list", "secret bulk"])("passes on what wrangler says when %s fails", async (failOn) => {
    const account = await newAccount({ failOn, failure: "A script with this name is too large" });
    const { exitCode, stderr } = await runDeploy(
      ["--secrets-file", await account.write("secrets", SECRETS)],
      account.env,
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`error[rejected]: "npm run wrangler -- ${failOn}`);
    expect(stderr).toContain("failed: [ERROR] A script with this name is too large");
    expect(stderr).not.toContain("canary");
  });

  it.each([
    [
      "Authentication error [code: 10000]",
      'error[unauthorized]: Cloudflare refuses the login; run "npm run wrangler -- login", or set',
    ],
    ["fetch failed", "error[unavailable]: Cloudflare cannot be reached; check the network or the proxy"],
  ])("names the fix where wrangler says: %s", async (failure, message) => {
    const account = await newAccount({ failOn: "secret list", failure });
    const file = await account.write("secrets", SECRETS);
    const { exitCode, stderr } = await runDeploy(["--secrets-file", file], account.env);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  it("names the fix where nobody is logged in, with the real wrangler", async () => {
    const account = await newAccount();
    const file = await account.write("secrets", SECRETS);
    const home = { HOME: dirname(file), XDG_CONFIG_HOME: dirname(file), CLOUDFLARE_API_TOKEN: "" };
    const { exitCode, stderr } = await runDeploy(["--secrets-file", file], { ...home, WRANGLER: "" });
    expect([exitCode, stderr]).toEqual([
      1,
      'error[unauthorized]: Cloudflare refuses the login; run "npm run wrangler -- login", or set "CLOUDFLARE_API_TOKEN" ' +
        'and "CLOUDFLARE_ACCOUNT_ID"\n',
    ]);
  });

  it("names the fix where the home directory cannot be written to, with the real wrangler", async () => {
    // A file in the place of the directory: the one kind of home that root cannot write to either.
    const home = { HOME: fileURLToPath(import.meta.url), XDG_CONFIG_HOME: "", CLOUDFLARE_API_TOKEN: "" };
    const { exitCode, stderr } = await runDeploy(["--dry-run"], { ...home, WRANGLER: "" });
    expect([exitCode, stderr]).toEqual([
      1,
      'error[unavailable]: wrangler cannot write to your home directory; set "XDG_CONFIG_HOME" to a directory that it can ' +
        "write to\n",
    ]);
  });

  it.each([
    "sk_put_yours_here",
    "changeme",
    "<your key>",
    "your-api-key",
    "xxxxxxxx",
    "sk_xxx",
    "sk_…",
    "$(openssl rand -base64 24)",
    "TODO",
    "aaaaaaaaaaaaaaaa",
  ])("refuses the placeholder %s as a secret and uploads nothing", async (value) => {
    const account = await newAccount();
    const file = await account.write("secrets", SECRETS.replace("sk_canary_1", `'${value}'`));
    const { exitCode, stderr } = await runDeploy(["--secrets-file", file], account.env);
    expect([exitCode, stderr]).toEqual([
      2,
      'error[wrong_use]: the secrets file is wrong: "WORKOS_API_KEY" is still a placeholder; put the real value there\n',
    ]);
    expect((await account.read()).calls).toEqual([]);
  });

  it("warns of a secrets file that others can read, with the command that closes it", async () => {
    const account = await newAccount();
    const file = await account.write("secrets", SECRETS);
    await chmod(file, 0o644);
    const { exitCode, stderr } = await runDeploy(["--dry-run", "--secrets-file", file], account.env);
    expect([exitCode, stderr]).toEqual([0, `warning: other users can read "${file}"; run: chmod 600 ${file}\n`]);
    await chmod(file, 0o600);
    expect((await runDeploy(["--dry-run", "--secrets-file", file], account.env)).stderr).toBe("");
  });

  it("says so when wrangler cannot be started", async () => {
    const { exitCode, stderr } = await runDeploy(["--dry-run"], { WRANGLER: "/nowhere/wrangler" });
    expect([exitCode, stderr]).toEqual([
      1,
      'error[unavailable]: wrangler cannot be started (/nowhere/wrangler); check "WRANGLER"\n',
    ]);
  });
});

function realDryRun(environment: string): string {
  const wrangler = "node_modules/wrangler/bin/wrangler.js";
  const env = { ...process.env, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" };
  const args = [wrangler, "deploy", "--dry-run", `--env=${environment}`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8", env });
  return stdout + stderr;
}

function bindingsIn(output: string): string[] {
  return [...output.matchAll(/^env\.\S+.*$/gm)].map(([line]) => line.trim());
}

describe("the real wrangler", () => {
  let topLevel: string;
  beforeAll(() => void (topLevel = realDryRun("")));

  it.each(["staging", "production"])(
    "gives the worker of %s every binding, variable and migration of the top level",
    (environment) => {
      const output = realDryRun(environment);
      expect(bindingsIn(output)).toEqual(bindingsIn(topLevel));
      expect(bindingsIn(output).length).toBeGreaterThanOrEqual(7);
      expect(output).not.toContain("WARNING");
    },
  );
});
