/** The package as a team gets it: packed from this repository, installed into theirs, under a path with a space. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const TEMPLATE = fileURLToPath(new URL("../cli/fixtures/zuplo-template", import.meta.url));
const { version } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as { version: string };

const run = promisify(execFile);
const env = { PATH: process.env["PATH"] ?? "", HOME: homedir(), npm_config_update_notifier: "false" };

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
  it("holds the program, the readable policy, the worker and a template, and no source, test or laptop stack", () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "cli/bin.mjs",
        "dist/package/audit-forwarder.mjs",
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

  it("has no install script, and no dependencies but the bundler of the fingerprint and wrangler", async () => {
    const text = await readFile(join(team, "node_modules/audit-forwarder/package.json"), "utf8");
    const { scripts = {}, dependencies = {} } = JSON.parse(text) as Record<string, Record<string, string>>;
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
    expect(Object.keys(dependencies)).toEqual(["esbuild", "wrangler"]);
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

  it("says what the laptop stack needs", async () => {
    const { code, stderr } = await installed(["dev"]);
    expect(code).toBe(2);
    expect(stderr).toContain("600 MB");
  });
});
