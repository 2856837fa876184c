/** The architecture rules: each takes a tree and returns its violations, one line each. */
import { dirname } from "node:path/posix";
import { REPLAY_OUTCOMES, REPLAY_STATES } from "../../shared/api.ts";
import {
  DEAD_LETTER_CLASSES,
  DEAD_LETTER_GROUPS,
  DEAD_LETTER_SOURCES,
  DEAD_LETTER_STATES,
} from "../../shared/dead-letter.ts";
import { EVENT_PLACES, EVENT_STATES } from "../../shared/event-answers.ts";
import {
  exportedNames,
  localImports,
  namedImports,
  packageImports,
  rungOf,
  sources,
  type Tree,
  undocumentedFunctions,
  usedExports,
} from "./tree.ts";

/** What each top-level folder may import, besides itself. `docs` holds generators, which read the code they describe. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  policy: ["shared"],
  worker: ["shared"],
  console: ["shared"],
  verifier: [],
  cli: ["shared", "verifier"],
  dev: ["shared", "policy", "worker", "console", "cli", "verifier"],
  release: ["shared", "policy", "worker", "console", "cli", "verifier"],
  bench: ["shared", "policy", "worker", "console", "cli", "verifier", "dev"],
  docs: ["shared", "policy", "worker", "console", "cli", "verifier", "dev"],
  tests: ["shared", "policy", "worker", "console", "cli", "verifier", "dev", "release", "bench", "docs"],
};

export function importsGoDown(tree: Tree): string[] {
  return sources(tree).flatMap(([path, text]) => {
    const rung = rungOf(path);
    const allowed = MAY_IMPORT[rung];
    if (!allowed) return [`${path} lies in "${rung}", which is no rung`];
    return localImports(path, text)
      .filter((target) => rungOf(target) !== rung && !allowed.includes(rungOf(target)))
      .map((target) => `${path} imports ${target}`);
  });
}

/** Each cycle is named once, by its modules in order; type imports count. */
export function hasNoCycles(tree: Tree): string[] {
  return cyclesOf(new Map(sources(tree).map(([path, text]) => [path, localImports(path, text)])));
}

function cyclesOf(graph: ReadonlyMap<string, Iterable<string>>): string[] {
  const cycles = new Set<string>();
  const done = new Set<string>();
  const follow = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) cycles.add(cycleName(trail.slice(seenAt)));
    if (seenAt >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) follow(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) follow(path, []);
  return [...cycles];
}

/** The folders of the worker import one another in one direction; a module outside a folder counts by itself. */
export function orderWorkerFolders(tree: Tree): string[] {
  const graph = new Map<string, Set<string>>();
  for (const [path, text] of sources(tree)) {
    if (rungOf(path) !== "worker") continue;
    const targets = localImports(path, text).filter((target) => rungOf(target) === "worker");
    const known = graph.get(workerPart(path)) ?? new Set();
    for (const target of targets) if (workerPart(target) !== workerPart(path)) known.add(workerPart(target));
    graph.set(workerPart(path), known);
  }
  return cyclesOf(graph);
}

function workerPart(path: string): string {
  const parts = path.split("/");
  return parts.length > 2 ? parts.slice(0, 2).join("/") : path;
}

function cycleName(modules: readonly string[]): string {
  const first = modules.indexOf(modules.toSorted()[0] ?? "");
  const turned = [...modules.slice(first), ...modules.slice(0, first)];
  return [...turned, turned[0]].join(" → ");
}

/** The parts of `policy` that run on Node and are not shipped. */
const POLICY_BUILD = new Set(["policy/build.ts", "policy/build-cache.ts", "policy/fingerprint.ts"]);

/** `shared` imports no package at all, and what the policy ships only the gateway's runtime. */
export function shipsNoPackage(tree: Tree): string[] {
  return sources(tree).flatMap(([path, text]) => {
    if (rungOf(path) !== "shared" && rungOf(path) !== "policy") return [];
    if (POLICY_BUILD.has(path)) return [];
    return packageImports(path, text)
      .filter((name) => rungOf(path) === "shared" || name !== "@zuplo/runtime")
      .map((name) => `${path} imports ${name}`);
  });
}

/** The bootstrap runs before anything is installed, and the verifier where nothing is. */
export function bootstrapNeedsNothing(tree: Tree): string[] {
  return sources(tree).flatMap(([path, text]) => {
    if (!path.startsWith("cli/bootstrap/") && path !== "cli/bin.mjs" && rungOf(path) !== "verifier") return [];
    const outside = localImports(path, text).filter((target) => !target.startsWith("cli/bootstrap/"));
    const packages = packageImports(path, text).filter((name) => !name.startsWith("node:"));
    return [...outside, ...packages].map((name) => `${path} imports ${name}`);
  });
}

/** Nothing leans on a package that is there only because another one brings it. */
export function declaresItsPackages(tree: Tree): string[] {
  const manifest = JSON.parse(tree.get("package.json") ?? "{}") as Record<string, Record<string, string>>;
  const declared = new Set(Object.keys({ ...manifest["dependencies"], ...manifest["devDependencies"] }));
  return sources(tree)
    .filter(([path]) => !path.startsWith("dev/gateway/project/"))
    .flatMap(([path, text]) =>
      packageImports(path, text)
        .filter((name) => !/^(node|cloudflare):/.test(name) && !declared.has(name))
        .map((name) => `${path} imports ${name}, which package.json does not name`),
    );
}

export function keepsFilesShort(tree: Tree): string[] {
  return sources(tree).flatMap(([path, text]) => {
    const lines = text.trimEnd().split("\n").length;
    const limit = ["tests", "verifier"].includes(rungOf(path)) ? 400 : 300;
    return lines > limit ? [`${path} has ${lines} lines; ${limit} at most`] : [];
  });
}

/** Words that are verbs and no nouns, as a module may have them in front: `store`, `run` and `shape` are both, and allowed. */
const VERBS = new Set(
  `accept add apply ask assign attach bind bring choose collect compare compute confirm convert create decide decode
  deliver delete derive deserialize do encode enrich ensure execute fetch finish follow gather generate get give
  handle ingest init inspect is make mend merge open park parse persist prepare prune publish put read receive
  reconcile reload remove reread resolve save send serialize serve set settle start stop take tell transform unpack
  validate write`.split(/\s+/),
);

/** A module is named by a noun, in kebab case. Outside tests its first word is no verb. What people type keeps the word that they type. */
export function namesModulesByNoun(tree: Tree): string[] {
  return sources(tree).flatMap(([path]) => {
    const parts = path.replace(/\.[^/]*$/, "").split("/");
    const name = parts.at(-1) ?? "";
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return [`${path} is not in kebab case`];
    if (rungOf(path) === "tests") return [];
    const drawer = parts.find((part) => /^(utils?|helpers?|misc|common|lib|stuff)$/.test(part));
    if (drawer) return [`${path} is named "${drawer}", which says nothing`];
    const isTyped = path.startsWith("cli/commands/") || rungOf(path) === "verifier" || path === "docs/generate.ts";
    const isVerb = VERBS.has(name.split("-", 1)[0] ?? "") && !isTyped;
    return isVerb ? [`${path} begins with a verb`] : [];
  });
}

/** Modules whose exports are used in other ways than by an import: shipped, loaded by a runtime or by vitest, or bundled by their path. */
const ENTRY_POINTS = [
  /^policy\/(audit-log|public-types)\.ts$/,
  /^worker\/index\.ts$/,
  /^dev\/project\.ts$/,
  /^dev\/gateway\/project\/modules\//,
  /^bench\/(worker\/handlers|peers)\//,
  /^bench\/policy-cpu\/loop\.ts$/,
  /^tests\/gateway\/project\/modules\//,
  /^tests\/order\//,
  /^tests\/worker\/support\/movable-[a-z]+\.workerd\.ts$/,
  /\.fixture\.ts$/,
];

/** An export exists because another module, or a test, imports it. */
export function exportsWhatIsUsed(tree: Tree): string[] {
  const used = new Set(sources(tree).flatMap(([path, text]) => usedExports(path, text)));
  return sources(tree).flatMap(([path, text]) => {
    if (used.has(`${path}#*`)) return [];
    if (ENTRY_POINTS.some((pattern) => pattern.test(path))) return [];
    return exportedNames(path, text)
      .filter((name) => !used.has(`${path}#${name}`))
      .map((name) => `${path} exports ${name}, which no other module imports`);
  });
}

/** Public is what another folder imports; tests do not count. */
export function documentsPublicFunctions(tree: Tree): string[] {
  const ours = sources(tree).filter(([path]) => rungOf(path) !== "tests" && path.endsWith(".ts"));
  const imported = ours.flatMap(([path, text]) =>
    namedImports(path, text).filter((name) => dirname(name.split("#", 1)[0] ?? "") !== dirname(path)),
  );
  const used = new Set(imported);
  return ours.flatMap(([path, text]) =>
    undocumentedFunctions(path, text)
      .filter((name) => used.has(`${path}#${name}`))
      .map((name) => `${path}: ${name} has no docstring`),
  );
}

/** An insert names its columns, so that it still fits a table to which a later version has added one. */
export function namesInsertedColumns(tree: Tree): string[] {
  return sources(tree).flatMap(([path, text]) => {
    if (rungOf(path) !== "worker") return [];
    return [...text.matchAll(/\b(?:INSERT|REPLACE)(?: OR [A-Z]+)? INTO (\w+)(?!\w)(?!\s*\()/g)].map(
      ([, table]) => `${path} inserts into ${table} without naming the columns`,
    );
  });
}

/** The worker asks the platform for the time and for alarms in one module, so that tests can move its clock. */
export function asksClockForTime(tree: Tree): string[] {
  const allowed = new Set(["worker/clock.ts"]);
  return sources(tree).flatMap(([path, text]) => {
    if (rungOf(path) !== "worker" || allowed.has(path)) return [];
    const uses = text.matchAll(/\bDate\.now\b|\bnew Date\(\)|\bstorage\.[gs]etAlarm\b/g);
    return [...uses].map(([use]) => `${path} uses ${use} instead of the clock`);
  });
}

/** One file holds all SQL on the tables of the dead letters, so that no state changes past the table of states. */
export function keepsDeadLetterSqlTogether(tree: Tree): string[] {
  const allowed = new Set([
    "worker/dead-letters/store.ts",
    "worker/dead-letters/counts.ts",
    "worker/replays/schema.ts",
  ]);
  return sources(tree).flatMap(([path, text]) => {
    if (rungOf(path) !== "worker" || allowed.has(path)) return [];
    const uses = text.matchAll(/\b(?:FROM|JOIN|INTO|UPDATE)\s+(dead_letters|links|sightings|removals|notes)\b/g);
    return [...uses].map(([, table]) => `${path} has SQL on ${table}`);
  });
}

/** A message takes the commands that it suggests from one table, which a test gives to the real parser. */
export function suggestsCommandsFromTable(tree: Tree): string[] {
  return sources(tree).flatMap(([path, text]) => {
    if (rungOf(path) !== "cli" || path === "cli/run/suggestion.ts" || path.startsWith("cli/bootstrap/")) return [];
    const code = text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
    const commands = code.matchAll(
      /\b(?:npx|npm (?:run|--prefix)|node cli\/bin\.mjs) [\w-]+|(?<!Made by `)\baudit-forwarder [a-z-]+/g,
    );
    return [...commands].map(([command]) => `${path} suggests "${command}" by itself`);
  });
}

const CONTRACT_LISTS: readonly (readonly string[])[] = [
  DEAD_LETTER_CLASSES,
  DEAD_LETTER_STATES,
  DEAD_LETTER_SOURCES,
  DEAD_LETTER_GROUPS,
  REPLAY_STATES,
  REPLAY_OUTCOMES,
  EVENT_STATES,
  EVENT_PLACES,
];

/** A list of the API's contract stands once, in `shared/`, so that a new class, state or group is one edit. */
export function listsContractOnce(tree: Tree): string[] {
  return sources(tree).flatMap(([path, text]) => {
    if (["shared", "tests"].includes(rungOf(path))) return [];
    const repeated = CONTRACT_LISTS.filter((list) => {
      return new RegExp(list.map((member) => `"${member}"`).join("\\s*[,|]\\s*")).test(text);
    });
    return repeated.map((list) => `${path} lists ${list.join(", ")}`);
  });
}

/** A lockfile names versions and hashes; where packages come from is the machine's own setting. */
export function locksToNoHost(tree: Tree): string[] {
  return [...tree]
    .filter(([path]) => path.endsWith("package-lock.json"))
    .flatMap(([path, text]) => {
      const urls = text.match(/"resolved": "[a-z+]+:\/\/[^"]*"/g) ?? [];
      return urls.length > 0 ? [`${path} names a host in ${urls.length} "resolved" lines`] : [];
    });
}

/** `npm ci` refuses a lockfile that lacks an optional package, even one made for another kind of machine. */
export function locksOptionalPackages(tree: Tree): string[] {
  return [...tree]
    .filter(([path]) => path.endsWith("package-lock.json"))
    .flatMap(([path, text]) => {
      const { packages } = JSON.parse(text) as { packages: Record<string, { optionalDependencies?: object }> };
      return Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
        Object.keys(optionalDependencies)
          .filter((name) => !places(at).some((place) => `${place}node_modules/${name}` in packages))
          .map((name) => `${path} lacks ${name}, which ${at} wants`),
      );
    });
}

/** Where Node looks for what the package at a path of a lockfile imports: beside it, then further out. */
function places(at: string): string[] {
  if (at === "") return [""];
  const outer = at.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, "");
  return [`${at}/`, ...places(outer === at ? "" : outer)];
}
