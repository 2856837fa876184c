/** The package as a team gets it: packed from this repository, installed into theirs, under a path with a space. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../dev/free-port.ts";
import { EXAMPLE_PROJECT } from "../../dev/gateway/gateway.ts";
import { walk } from "../docs/walk.ts";
import { takeTurn } from "../order/turn.ts";
import { evidenceOf, openFolder, someQuarters } from "../verifier/evidence.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const TEMPLATE = fileURLToPath(new URL("../cli/fixtures/zuplo-template", import.meta.url));
const { version } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as { version: string };

const run = promisify(execFile);
const env = { PATH: process.env["PATH"] ?? "", HOME: homedir(), npm_config_update_notifier: "false" };

/** As the project "gateway": one file at a time has a gateway. */
const GATEWAY_TURN = join(REPOSITORY, ".audit-forwarder/gateway-turn.sqlite");
const LONGEST_WAIT_MS = 3_600_000;
/** Packages that this repository was installed with come from npm's cache. */
const OFFLINE = {
  npm_config_offline: "false",
  npm_config_prefer_offline: "true",
  npm_config_ignore_scripts: "true",
  npm_config_audit: "false",
  npm_config_fund: "false",
};

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the installed command with nothing but PATH and HOME in its environment. */
async function installed(args: readonly string[], cwd = team): Promise<Ended> {
  const program = join(team, "node_modules", ".bin", "audit-forwarder");
  try {
    return { code: 0, ...(await run(program, args, { cwd, env })) };
  } catch (error) {
    return error as Ended;
  }
}

let base: string;
let team: string;
let packed: readonly string[];

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "a team "));
  team = join(base, "their repository");
  await mkdir(team);
  await cp(TEMPLATE, join(team, "gateway"), { recursive: true });
  const pack = ["pack", "--json", "--foreground-scripts=false", "--pack-destination", base];
  const { stdout } = await run("npm", pack, { cwd: REPOSITORY, env, maxBuffer: 10_000_000 });
  const [made] = JSON.parse(stdout.slice(stdout.indexOf("["))) as { filename: string; files: { path: string }[] }[];
  packed = made?.files.map(({ path }) => path) ?? [];
  const install = ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", [...install, join(base, made?.filename ?? "")], { cwd: team, env });
});
afterAll(() => rm(base, { recursive: true, force: true }));

/** Content and time of change of each file below a folder. */
async function filesIn(folder: string): Promise<Record<string, readonly [text: string, changedMs: number]>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = paths.map(
    async (path) => [path, [await readFile(path, "utf8"), (await stat(path)).mtimeMs] as const] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

describe("the tarball", () => {
  it("holds the program, the readable policy, the worker and a template, and no source or test", () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "cli/bin.mjs",
        "dist/package/audit-forwarder.mjs",
        "dist/package/dev.mjs",
        "dist/package/policy/audit-log.ts",
        "dist/package/upload/worker/index.js",
        "dist/package/upload/site/console/index.html",
        "dist/package/wrangler.toml",
      ]),
    );
    const allowed =
      /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|cli\/bin\.mjs|cli\/bootstrap\/[\w-]+\.(mjs|json)|dist\/package\/.+)$/;
    expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
  });

  it("has no install script, and no dependencies but the bundler of the fingerprint, wrangler and its own Miniflare", async () => {
    const text = await readFile(join(team, "node_modules/audit-forwarder/package.json"), "utf8");
    const { scripts = {}, dependencies = {} } = JSON.parse(text) as Record<string, Record<string, string>>;
    const wrangler = await readFile(join(team, "node_modules/wrangler/package.json"), "utf8");
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
    expect(Object.keys(dependencies)).toEqual(["esbuild", "miniflare", "wrangler"]);
    const { dependencies: brought } = JSON.parse(wrangler) as { dependencies: Record<string, string> };
    expect(dependencies["miniflare"]).toBe(brought["miniflare"]);
  });
});

describe("the installed package", () => {
  it("names its version and the commit that it was built from", async () => {
    const { stdout: head } = await run("git", ["rev-parse", "--short=7", "HEAD"], { cwd: REPOSITORY });
    expect((await installed(["--version"])).stdout).toBe(`${version} (commit ${head.trim()})\n`);
  });

  it("refuses a deploy before init, and says what to run", async () => {
    const { code, stderr } = await installed(["deploy", "--dry-run"]);
    expect(code).toBe(1);
    expect(stderr).toContain('error[not_found]: "');
    expect(stderr).toContain('"init"');
  });

  it("leads from init to check, dry-run deploy and doctor", async () => {
    const made = await installed(["init", "gateway", "--json"]);
    expect(JSON.parse(made.stdout)).toMatchObject({ written: true });
    expect((await readdir(join(team, "audit"))).toSorted()).toEqual([
      ".gitignore",
      "audit-schemas.lock.json",
      "wrangler.toml",
    ]);
    expect((await installed(["init", "gateway"])).stdout).toBe("nothing to change\n");
    const check = await installed(["init", "gateway", "--check"]);
    expect(check.stdout).toContain("4 of 4 routes are audited");
    expect(check.code).toBe(0);
    expect((await installed(["init", "--check"])).code).toBe(0);

    const lock = { "todo.created": 7, 'an "odd" action\\': 2 };
    await writeFile(join(team, "audit/audit-schemas.lock.json"), JSON.stringify(lock));
    const deploy = await installed(["deploy", "--dry-run", "--env", "production"], join(team, "gateway"));
    expect(deploy.stdout).toContain("✓ bundle     audit-forwarder-production, ");
    expect(deploy.stdout).toContain("would run: npx audit-forwarder wrangler deploy --env production\n");
    expect(deploy.code).toBe(0);
    const files = await filesIn(join(team, "audit"));
    const worker = files[join(team, "audit/.audit-forwarder/worker/index.js")]?.[0] ?? "";
    const literal =
      /JSON\.parse\(("(?:[^"\\]|\\.)*todo\.created(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*todo\.created(?:[^'\\]|\\.)*')\)/;
    const [, text = '"null"'] = literal.exec(worker) ?? [];
    expect(JSON.parse(JSON.parse(text) as string)).toEqual(lock);

    const doctor = await installed(["doctor", "gateway", "--json"]);
    const { checks } = JSON.parse(doctor.stdout) as { checks: { check: string; state: string }[] };
    expect(checks.find(({ check }) => check === "gateway")?.state).toBe("ok");
    expect(checks.find(({ check }) => check === "bundle")?.state).toBe("ok");
    expect(await filesIn(join(team, "audit"))).toEqual(files);
  });

  it("verifies evidence with the key where deploy writes it, from any folder of the repository", async () => {
    const evidence = openFolder();
    try {
      evidence.write(evidenceOf(someQuarters(1)).files);
      await cp(evidence.key, join(team, "audit/audit-evidence.pub"));
      const verified = await installed(["verify", "--evidence", evidence.path], join(team, "gateway"));
      expect(verified.stdout).toContain('grade "signed"');
      expect(verified.code).toBe(0);
    } finally {
      evidence.remove();
    }
  });

  it("adds its section to AGENTS.md if asked to, keeps it up to date, and never touches the rest", async () => {
    const file = join(team, "AGENTS.md");
    const theirs = "# Our API\n";
    await writeFile(file, theirs);
    expect((await installed(["init", "--agents", "--dry-run"])).stdout).toContain("change AGENTS.md");
    expect(await readFile(file, "utf8")).toBe(theirs);
    expect((await installed(["init", "--agents"])).code).toBe(0);
    const added = await readFile(file, "utf8");
    expect(added.startsWith(`${theirs}\n<!-- audit-forwarder: begin`)).toBe(true);
    expect(added).toContain("\n## Audit forwarder\n");
    expect((await installed(["init", "--agents"])).stdout).toBe("nothing to change\n");

    await writeFile(file, added.replace("## Audit forwarder", "## Of another version"));
    const check = await installed(["init", "--check"]);
    expect(check.stdout).toContain("AGENTS.md has another version's section");
    expect(check.code).toBe(1);
    await installed(["init"]);
    expect(await readFile(file, "utf8")).toBe(added);
    expect((await installed(["init", "--check"])).code).toBe(0);
    await writeFile(file, theirs);
    expect((await installed(["init"])).stdout).toBe("nothing to change\n");
  });

  it("starts no stack for a project without the policy, or without Zuplo's packages, and says what to run", async () => {
    await cp(TEMPLATE, join(team, "another"), { recursive: true });
    const noPolicy = await installed(["dev", "another"]);
    expect(noPolicy.stderr).toContain('error[not_found]: the project has no "modules/audit-log.ts"');
    expect(noPolicy.stderr).toContain("npx audit-forwarder init ");
    await installed(["init", "another"]);
    const ports = ["gateway", "queue", "worker", "workos"].flatMap((part) => [`--${part}-port`, "0"]);
    const noPackages = await installed(["dev", "another", ...ports]);
    expect(noPackages.stderr).toContain('error[not_found]: "zuplo" is not installed');
    expect(noPackages.stderr).toContain("npm install");
    expect([noPolicy.code, noPackages.code]).toEqual([1, 1]);
    expect((await installed(["dev"])).code).toBe(2);
    expect((await installed(["dev", "another", "--queue-port", "x"])).stderr).toContain(
      '"--queue-port" must be a port',
    );
  });
});

describe("a reader of docs/getting-started.md", () => {
  let endTurn: (() => void) | undefined;
  beforeAll(async () => void (endTurn = await takeTurn(GATEWAY_TURN)), LONGEST_WAIT_MS);
  afterAll(() => endTurn?.());

  it("gets from an empty folder to a verified event with nothing but the page", async () => {
    const { gateway, queue, worker, workos } = {
      gateway: await freePort(),
      queue: await freePort(),
      worker: await freePort(),
      workos: await freePort(),
    };
    const ports = `--gateway-port ${gateway} --queue-port ${queue} --worker-port ${worker} --workos-port ${workos}`;
    const install = "npm install --save-dev ../audit-forwarder-0.2.0.tgz";
    const packages = join(EXAMPLE_PROJECT, "node_modules");
    await walk({
      page: "docs/getting-started.md",
      folder: base,
      env: { ...env, ...OFFLINE },
      substitutions: new Map([
        // What it makes, without its download, and without an API on the internet behind it.
        [
          "npm create -y zuplo-api@latest my-api -- --yes --no-git",
          `cp -R '${TEMPLATE}' my-api
           sed -i.bak 's|https://todo.zuplo.io|http://127.0.0.1:9|' my-api/config/routes.oas.json
           echo '{ "private": true }' > my-api/package.json`,
        ],
        // The packages that it would have installed.
        [install, `${install}\nln -s '${packages}/@zuplo' '${packages}/zuplo' node_modules/`],
        ["npx audit-forwarder dev .", `npx audit-forwarder dev . ${ports}`],
        ["http://127.0.0.1:9000/", `http://127.0.0.1:${gateway}/`],
        ["http://127.0.0.1:8090/", `http://127.0.0.1:${workos}/`],
      ]),
    });
    expect(await readFile(join(base, "my-api/AGENTS.md"), "utf8")).toContain("npx audit-forwarder trace");
  });
});
