// What each npm script runs, as arguments for Node. Its packages are installed before it runs.
import { readdirSync } from "node:fs";
import { join, posix } from "node:path";

/**
 * @typedef {object} Step one process
 * @property {string} name
 * @property {readonly string[]} args for Node
 *
 * @typedef {object} Task
 * @property {string} about one line for the list of tasks
 * @property {boolean} [gateway] needs the Zuplo project's packages
 * @property {boolean} [site] needs the generator of the documentation's site
 * @property {boolean} [quiet] a failed step does not stop the next one, and only failed steps show their output
 * @property {boolean} [noArguments]
 * @property {boolean} [secrets] gets the operator's whole environment, secrets included; other tasks get public variables only
 * @property {boolean} [inCallersDirectory] keeps the caller's working directory
 * @property {(args: readonly string[], root: string) => Step[]} steps
 */

const VITEST = "node_modules/vitest/vitest.mjs";
const PRETTIER = "node_modules/prettier/bin/prettier.cjs";
const OXLINT = "node_modules/oxlint/bin/oxlint";
const TSC = "node_modules/typescript/bin/tsc";
const WRANGLER = "node_modules/wrangler/bin/wrangler.js";
const VITEPRESS = "docs/site/node_modules/vitepress/bin/vitepress.js";
/** Writes the reference pages. With `--check` it fails if a page differs from what it would write. */
const DOCS_GENERATOR = "docs/generate.ts";
/** Folders without sources of this project: installed, built, or a project of their own. */
const FOREIGN = new Set(["node_modules", "dist", "fixtures", "project"]);
const BUILD_POLICY = `
  const { buildPolicy } = await import("./policy/build.ts");
  const { path, bytes, gzipBytes } = await buildPolicy();
  console.log("Policy: " + path + ", " + bytes + " bytes, " + gzipBytes + " after minifying and gzip");`;

/**
 * What the deploy button's build runs, because Cloudflare fills in the script "deploy". The worker and its secrets are those that the
 * button made, and nobody is there to ask. https://developers.cloudflare.com/workers/ci-cd/builds/configuration/#default-variables
 */
const UPLOAD_ONLY = [{ name: "deploy", args: [WRANGLER, "deploy", "--env="] }];

/** @type {Readonly<Record<string, Task>>} */
export const TASKS = {
  demo: { about: "the whole path once, on real parts", gateway: true, steps: ours("dev/demo.ts") },
  dev: { about: "the same stack, kept running", gateway: true, steps: ours("dev/dev.ts") },
  test: {
    about: "all tests; arguments go to vitest",
    gateway: true,
    steps: (args) => [{ name: "test", args: [VITEST, "run", ...args] }],
  },
  build: {
    about: "the policy module and the worker's bundle",
    noArguments: true,
    steps: () => [
      { name: "policy", args: ["--input-type=module", "--eval", BUILD_POLICY] },
      { name: "worker", args: [WRANGLER, "deploy", "--dry-run", "--env=", "--outdir", "dist/worker"] },
    ],
  },
  prepack: {
    about: 'the content of the package; "npm pack" calls it',
    noArguments: true,
    steps: ours("release/main.ts"),
  },
  upload: {
    about: "the worker and the console as wrangler uploads them; wrangler calls it",
    noArguments: true,
    steps: (args, root) => ["worker/upload.ts", "console/upload.ts"].flatMap((file) => ours(file)(args, root)),
  },
  drill: { about: "the real processes under load and faults", gateway: true, steps: ours("dev/drill.ts") },
  bench: { about: "the benchmarks", gateway: true, steps: ours("bench/run.ts") },
  screenshots: { about: "the pictures of the console in docs/images", steps: ours("docs/screenshots.ts") },
  docs: {
    about: "the documentation's site in dist/docs",
    site: true,
    steps: ([command = "build", ...args]) => [{ name: "docs", args: [VITEPRESS, command, "docs/site", ...args] }],
  },
  check: {
    about: "format, lint, types, docs in step with code",
    quiet: true,
    noArguments: true,
    steps: (_, root) => checkSteps(root),
  },
  format: {
    about: "formats every file, or the given ones",
    steps: (args) => [{ name: "format", args: [PRETTIER, "--write", ...(args.length > 0 ? args : ["."])] }],
  },
  deploy: {
    about: "deploys the worker",
    secrets: true,
    steps: (args, root) =>
      process.env.WORKERS_CI !== undefined && args.length === 0
        ? UPLOAD_ONLY
        : ours("cli/main.ts")(["deploy", ...args], root),
  },
  // Wrangler refuses to run under Node 20, where `npx wrangler` would start it.
  wrangler: {
    about: "the pinned wrangler; arguments go to it",
    secrets: true,
    steps: (args) => [{ name: "wrangler", args: [WRANGLER, ...args] }],
  },
  cli: { about: "the operator's commands", secrets: true, inCallersDirectory: true, steps: ours("cli/main.ts") },
};

/**
 * Runs a TypeScript file of this repository.
 * @param {string} file
 * @returns {Task["steps"]}
 */
function ours(file) {
  return (args, root) => [
    {
      name: file,
      args: [
        "--disable-warning=ExperimentalWarning",
        "--import",
        new URL("./preload.mjs", import.meta.url).href,
        join(root, file),
        ...args,
      ],
    },
  ];
}

/** @param {string} root */
function checkSteps(root) {
  const projects = foldersIn(root, "").flatMap((folder) => typeConfigsIn(root, folder));
  return [
    { name: "format", args: [PRETTIER, "--check", "--log-level=warn", "."] },
    { name: "lint", args: [OXLINT, "--type-aware"] },
    ...projects.map((project) => ({ name: `types ${project}`, args: [TSC, "-p", project] })),
    { name: "docs", args: [DOCS_GENERATOR, "--check"] },
  ];
}

/**
 * Each folder has its own configuration, so that a global of another platform does not compile.
 * @param {string} root
 * @param {string} folder
 * @returns {string[]} what `tsc -p` takes
 */
function typeConfigsIn(root, folder) {
  const configs = readdirSync(join(root, folder))
    .filter((name) => /^tsconfig(\..+)?\.json$/.test(name))
    .map((name) => (name === "tsconfig.json" ? folder : `${folder}/${name}`));
  return [...configs, ...foldersIn(root, folder).flatMap((inner) => typeConfigsIn(root, inner))];
}

/**
 * @param {string} root
 * @param {string} folder
 */
function foldersIn(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !FOREIGN.has(entry.name))
    .map((entry) => posix.join(folder, entry.name))
    .toSorted();
}
