import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as sourceRules from "./architecture/rules.ts";
import { readTree, specifiersOf, type Tree } from "./architecture/tree.ts";
import * as workflowRules from "./architecture/workflow-rules.ts";

const rules = { ...sourceRules, ...workflowRules };
const repository = readTree(fileURLToPath(new URL("../", import.meta.url)));

describe("this repository", () => {
  it("was read", () => {
    expect([...repository.keys()]).toEqual(
      expect.arrayContaining([
        "shared/errors.ts",
        "cli/bootstrap/run.mjs",
        "package-lock.json",
        ".github/workflows/ci.yml",
      ]),
    );
  });

  it.each(Object.entries(rules))("%s", (_, rule) => {
    expect(rule(repository)).toEqual([]);
  });
});

interface Case {
  readonly rule: (tree: Tree) => string[];
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly violations: readonly string[];
}

const lines = (count: number): string => "//\n".repeat(count);
const COMMIT = "08eba0b27e820071cde6df949e0beb9ba4906955";
const workflow = (job: string): string =>
  `on: push\njobs:\n  a:\n    ${job.trim().replaceAll("\n        ", "\n    ")}\n`;
const manifest = { "package.json": '{"dependencies":{"zod":"1.0.0"},"devDependencies":{"@types/node":"1.0.0"}}' };

const imports: readonly Case[] = [
  ["shared/a.ts", "../policy/b.ts", "policy/b.ts"],
  ["policy/a.ts", "../worker/b.ts", "worker/b.ts"],
  ["worker/deep/a.ts", "../../cli/b.ts", "cli/b.ts"],
  ["cli/a.ts", "../worker/b.ts", "worker/b.ts"],
  ["dev/a.ts", "../bench/b.ts", "bench/b.ts"],
  ["bench/a.ts", "../tests/b.ts", "tests/b.ts"],
].map(([from = "", specifier, target]) => ({
  rule: rules.importsGoDown,
  name: `${from} imports ${target}`,
  files: { [from]: `import { x } from "${specifier}";` },
  violations: [`${from} imports ${target}`],
}));

const broken: readonly Case[] = [
  ...imports,
  {
    rule: rules.importsGoDown,
    name: "a folder that is no rung",
    files: { "tools/a.ts": "" },
    violations: ['tools/a.ts lies in "tools", which is no rung'],
  },
  {
    rule: rules.hasNoCycles,
    name: "two modules and a third beside them",
    files: {
      "shared/a.ts": 'import "./b.ts";',
      "shared/b.ts": 'export * from "./a.ts";',
      "shared/c.ts": 'import "./a.ts";',
    },
    violations: ["shared/a.ts → shared/b.ts → shared/a.ts"],
  },
  {
    rule: rules.hasNoCycles,
    name: "types alone",
    files: {
      "shared/a.ts": 'import type { B } from "./b.ts"; export type A = B;',
      "shared/b.ts": 'export type B = import("./c.ts").C;',
      "shared/c.ts": 'export type { A as C } from "./a.ts";',
    },
    violations: ["shared/a.ts → shared/b.ts → shared/c.ts → shared/a.ts"],
  },
  {
    rule: rules.hasNoCycles,
    name: "a module that imports itself",
    files: { "shared/a.ts": 'void import("./a.ts");' },
    violations: ["shared/a.ts → shared/a.ts"],
  },
  {
    rule: rules.orderWorkerFolders,
    name: "two folders of the worker that import each other, by different modules",
    files: {
      "worker/low/a.ts": 'import type { B } from "../high/b.ts";',
      "worker/low/c.ts": 'import "../alone.ts";',
      "worker/high/b.ts": "export type B = 1;",
      "worker/high/d.ts": 'import "../low/c.ts"; import "./b.ts";',
      "worker/alone.ts": "",
    },
    violations: ["worker/high → worker/low → worker/high"],
  },
  {
    rule: rules.shipsNoPackage,
    name: "a package in shared, another than the runtime in policy",
    files: {
      "shared/a.ts": 'import * as z from "zod";',
      "shared/b.ts": 'import { environment } from "@zuplo/runtime";',
      "policy/a.ts": 'import { environment } from "@zuplo/runtime";',
      "policy/b.ts": 'import { hash } from "node:crypto";',
      "policy/build.ts": 'import { build } from "esbuild";',
    },
    violations: ["shared/a.ts imports zod", "shared/b.ts imports @zuplo/runtime", "policy/b.ts imports node:crypto"],
  },
  {
    rule: rules.bootstrapNeedsNothing,
    name: "a package or a module from outside",
    files: {
      "cli/bootstrap/a.mjs": 'import "node:fs"; import "./b.mjs"; import "yargs"; import "../../shared/c.ts";',
      "cli/bin.mjs": 'import("./bootstrap/run.mjs"); import("zod");',
      "verifier/a.mjs": 'import "node:fs"; import "zod";',
    },
    violations: [
      "cli/bootstrap/a.mjs imports shared/c.ts",
      "cli/bootstrap/a.mjs imports yargs",
      "cli/bin.mjs imports zod",
      "verifier/a.mjs imports zod",
    ],
  },
  {
    rule: rules.declaresItsPackages,
    name: "a package that only another one brings",
    files: {
      ...manifest,
      "cli/a.ts": 'import "zod/mini"; import "node:fs"; import "cloudflare:workers"; import "@types/node";',
      "cli/b.ts": 'import "undici"; import "@scope/name/deep";',
    },
    violations: [
      "cli/b.ts imports undici, which package.json does not name",
      "cli/b.ts imports @scope/name, which package.json does not name",
    ],
  },
  {
    rule: rules.namesInsertedColumns,
    name: "an insert without its columns",
    files: {
      "worker/a.ts": 'sql.all("INSERT INTO a (x) VALUES (1)"); sql.all("INSERT OR REPLACE INTO b VALUES (1)");',
      "worker/b.ts": 'sql.all(`INSERT INTO c\nSELECT 1`); sql.all("INSERT OR IGNORE INTO d\n(x) SELECT 1");',
      "dev/a.ts": 'sql.all("INSERT INTO e VALUES (1)");',
    },
    violations: [
      "worker/a.ts inserts into b without naming the columns",
      "worker/b.ts inserts into c without naming the columns",
    ],
  },
  {
    rule: rules.suggestsCommandsFromTable,
    name: "commands in messages",
    files: {
      "cli/a.ts":
        '/** npm run a */\n// npx a\nf("run: npx b", `see npm run ${c}`, "npm run d", "audit-forwarder resume");',
      "cli/run/suggestion.ts": '"npx audit-forwarder"',
      "dev/a.ts": '"npm run demo"',
    },
    violations: [
      'cli/a.ts suggests "npx b" by itself',
      'cli/a.ts suggests "npm run d" by itself',
      'cli/a.ts suggests "audit-forwarder resume" by itself',
    ],
  },
  {
    rule: rules.asksClockForTime,
    name: "a module of the worker that reads the time and sets an alarm by itself",
    files: {
      "worker/clock.ts": "Date.now();",
      "worker/a/b.ts": "storage.setAlarm(Date.now()); new Date(); env.clock.setAlarm(storage, env.clock.now());",
      "dev/a.ts": "Date.now();",
    },
    violations: [
      "worker/a/b.ts uses storage.setAlarm instead of the clock",
      "worker/a/b.ts uses Date.now instead of the clock",
      "worker/a/b.ts uses new Date() instead of the clock",
    ],
  },
  {
    rule: rules.keepsDeadLetterSqlTogether,
    name: "SQL on the dead letters elsewhere",
    files: {
      "worker/replays/a.ts": "sql.all(\"UPDATE dead_letters SET state = 'open'\"); sql.all('SELECT 1 FROM items');",
      "worker/dead-letters/store.ts": 'sql.all("DELETE FROM links");',
      "worker/dead-letters/b.ts": "sql.all(`SELECT 1 FROM items JOIN\n removals USING (id)`);",
    },
    violations: ["worker/replays/a.ts has SQL on dead_letters", "worker/dead-letters/b.ts has SQL on removals"],
  },
  {
    rule: rules.listsContractOnce,
    name: "a second list of the classes, of the states of a replay, and of the places of an event",
    files: {
      "cli/a.ts": 'const CLASSES = ["rejected", "exhausted", "credential", "unreadable"];',
      "worker/a.ts": 'type State = "running" | "paused" | "stopped" | "settling"\n| "done";',
      "worker/b.ts": 'const isOpen = state === "open"; const one = "rejected";',
      "console/a.ts": 'type Place = "queue" | "workos" | "archive" | "outbox";',
      "shared/a.ts": 'const CLASSES = ["rejected", "exhausted", "credential", "unreadable"];',
    },
    violations: [
      "cli/a.ts lists rejected, exhausted, credential, unreadable",
      "worker/a.ts lists running, paused, stopped, settling, done",
      "console/a.ts lists queue, workos, archive, outbox",
    ],
  },
  {
    rule: rules.keepsFilesShort,
    name: "a line too many",
    files: {
      "shared/at-the-limit.ts": lines(300),
      "shared/over.ts": lines(301),
      "tests/at-the-limit.ts": lines(400),
      "tests/over.ts": lines(401),
    },
    violations: ["shared/over.ts has 301 lines; 300 at most", "tests/over.ts has 401 lines; 400 at most"],
  },
  {
    rule: rules.namesModulesByNoun,
    name: "a drawer, a verb, another case",
    files: {
      "cli/utils.ts": "",
      "worker/helpers/date.ts": "",
      "worker/get-record.ts": "",
      "worker/settle.ts": "",
      "worker/run.ts": "",
      "cli/commands/init.ts": "",
      "worker/RecordStore.ts": "",
      "worker/record_store.mjs": "",
      "worker/record-store.ts": "",
      "tests/worker/record-store.workerd.test.ts": "",
      "tests/helpers.ts": "",
    },
    violations: [
      'cli/utils.ts is named "utils", which says nothing',
      'worker/helpers/date.ts is named "helpers", which says nothing',
      "worker/get-record.ts begins with a verb",
      "worker/settle.ts begins with a verb",
      "worker/RecordStore.ts is not in kebab case",
      "worker/record_store.mjs is not in kebab case",
    ],
  },
  {
    rule: rules.exportsWhatIsUsed,
    name: "an export that nobody imports, or only the module itself",
    files: {
      "shared/a.ts": "export const used = 1;\nexport const tested = 1;\nexport type Unused = 1;\nexport default used;",
      "shared/b.ts": "export const whole = 1;",
      "shared/c.ts": "export const later = 1;",
      "shared/d.ts": 'export { used as passedOn } from "./a.ts";\nimport { passedOn } from "./d.ts";',
      "worker/e.ts": 'import * as b from "../shared/b.ts";\nexport const e = import("../shared/c.ts");',
      "worker/index.ts": "export default {};",
      "tests/a.test.ts": 'import { tested } from "../shared/a.ts";\nexport const x = 1;',
    },
    violations: [
      "shared/a.ts exports Unused, which no other module imports",
      "shared/a.ts exports default, which no other module imports",
      "worker/e.ts exports e, which no other module imports",
      "tests/a.test.ts exports x, which no other module imports",
    ],
  },
  {
    rule: rules.documentsPublicFunctions,
    name: "a function that another folder imports",
    files: {
      "shared/a.ts":
        "export function bare() {}\n// why\nexport function remark() {}\n/** What. */\nexport function told() {}",
      "shared/b.ts": 'import { bare } from "./a.ts";',
      "worker/c.ts": 'import { bare, remark as other, told } from "../shared/a.ts";',
      "worker/d.ts": "export default async function () {}",
      "dev/e.ts": 'import d from "../worker/d.ts";',
      "dev/f.ts": "export function unused() {}",
    },
    violations: [
      "shared/a.ts: bare has no docstring",
      "shared/a.ts: remark has no docstring",
      "worker/d.ts: default has no docstring",
    ],
  },
  {
    rule: rules.workflowsPinActions,
    name: "an action by tag, by branch, by a short commit, without its release",
    files: {
      ".github/workflows/a.yml": workflow(`
        steps:
          - uses: actions/checkout@${COMMIT} # v4.3.0
          - uses: actions/checkout@v4
          - uses: actions/checkout@main # v4.3.0
          - uses: actions/checkout@08eba0b # v4.3.0
          - uses: actions/setup-node@${COMMIT}
          - uses: ./.github/actions/mine
          - uses: docker://alpine:3`),
      "docs/workflows/b.yaml": workflow("uses: org/repo/.github/workflows/c.yml@v1"),
    },
    violations: [
      ["actions/checkout@v4", "actions/checkout@main", "actions/checkout@08eba0b", `actions/setup-node@${COMMIT}`],
      ["docker://alpine:3"],
    ]
      .flat()
      .map((value) => `.github/workflows/a.yml uses ${value}, which no commit and no "# v…" pins`)
      .concat('docs/workflows/b.yaml uses org/repo/.github/workflows/c.yml@v1, which no commit and no "# v…" pins'),
  },
  {
    rule: rules.workflowsKeepSecretsFromPullRequests,
    name: "secrets that a pull request reaches",
    files: {
      ".github/workflows/a.yml": `
env: { TOKEN: "\${{ secrets.A }}" }
on: { push: {}, pull_request: {} }
jobs:
  plain: { steps: [run: "npm test"] }
  open: { steps: [{ run: x, env: { A: "\${{ secrets.A }}" } }] }
  index: { environment: e, steps: [{ run: x, env: { A: "\${{ secrets['A'] }}" } }] }
  all: { if: "github.event_name != 'pull_request'", steps: [run: "echo '\${{ toJSON(secrets) }}'"] }
  inherit: { uses: x, secrets: inherit, if: "github.event_name == 'push'" }
  closed: { if: "github.event_name == 'push'", environment: e, steps: [{ run: "\${{ secrets.A }}" }] }`,
      ".github/workflows/b.yml": "on: [push]\njobs: { a: { steps: [{ if: \"secrets.A != ''\", run: x }] } }",
      ".github/workflows/c.yml": "on: pull_request_target\njobs: {}",
    },
    violations: [
      ".github/workflows/a.yml gives a secret to every job",
      '.github/workflows/a.yml: job "open" reads secrets in pull requests',
      '.github/workflows/a.yml: job "open" reads secrets of the repository',
      '.github/workflows/a.yml: job "index" reads secrets in pull requests',
      '.github/workflows/a.yml: job "index" enters an environment in pull requests',
      '.github/workflows/a.yml: job "all" reads secrets in pull requests',
      '.github/workflows/a.yml: job "all" reads secrets of the repository',
      '.github/workflows/a.yml: job "inherit" reads secrets of the repository',
      '.github/workflows/b.yml: job "a" reads secrets of the repository',
      ".github/workflows/c.yml runs on pull_request_target",
    ],
  },
  {
    rule: rules.locksToNoHost,
    name: "a host in a lockfile",
    files: {
      "package-lock.json": '{"packages":{"a":{"resolved": "https://registry.example/a.tgz"}}}',
      "dev/gateway/project/package-lock.json": '{"packages":{"a":{"resolved": "vendor/a"}}}',
    },
    violations: ['package-lock.json names a host in 1 "resolved" lines'],
  },
  {
    rule: rules.locksOptionalPackages,
    name: "a package for other machines that is not in the lockfile",
    files: {
      "package-lock.json": JSON.stringify({
        packages: {
          "node_modules/a": { optionalDependencies: { "@os/one": "1.0.0", "@os/two": "1.0.0" } },
          "node_modules/a/node_modules/@b/b": { optionalDependencies: { near: "1.0.0", c: "1.0.0", far: "1.0.0" } },
          "node_modules/a/node_modules/@b/b/node_modules/near": {},
          "node_modules/a/node_modules/c": {},
          "node_modules/c/node_modules/far": {},
          "node_modules/@os/one": {},
        },
      }),
    },
    violations: [
      "package-lock.json lacks @os/two, which node_modules/a wants",
      "package-lock.json lacks far, which node_modules/a/node_modules/@b/b wants",
    ],
  },
];

describe("a tree that breaks a rule", () => {
  it.each(broken)("is refused: $rule.name, $name", ({ rule, files, violations }) => {
    expect(rule(new Map(Object.entries(files)))).toEqual(violations);
  });

  it("was made for every rule", () => {
    expect(new Set(broken.map(({ rule }) => rule))).toEqual(new Set(Object.values(rules)));
  });
});

describe("imports are found", () => {
  it.each([
    ['import x from "a";', "a"],
    ['import "a";', "a"],
    ['import type { X } from "a";', "a"],
    ['export { x } from "a";', "a"],
    ['export type { X } from "a";', "a"],
    ['export * from "a";', "a"],
    ['const x = await import("a");', "a"],
    ['type X = import("a").X;', "a"],
  ])("in %s", (text, specifier) => {
    expect(specifiersOf("shared/a.ts", text)).toEqual([specifier]);
  });

  it("but not in comments and texts", () => {
    expect(specifiersOf("shared/a.ts", '// import "a";\nconst x = \'import "b";\';')).toEqual([]);
  });

  it("and a module that cannot be parsed is an error, not a pass", () => {
    expect(() => specifiersOf("shared/a.ts", "import {")).toThrow("shared/a.ts: ");
  });
});
