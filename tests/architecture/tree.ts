/** The repository as the architecture rules see it: paths and texts, and what each module imports and exports. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseSync } from "oxc-parser";

/** Text by path, relative to the repository, with forward slashes. */
export type Tree = ReadonlyMap<string, string>;

const NOT_OURS = new Set(["node_modules", "dist", "coverage"]);
const SOURCE = /\.(ts|tsx|mjs)$/;
/** GitHub workflows and actions, wherever they are kept. */
export const WORKFLOW = /\.ya?ml$/;

/** Reads sources, lockfiles and workflows, but no installed packages, no built files, and of hidden folders only `.github`. */
export function readTree(root: string, folder = ""): Map<string, string> {
  const tree = new Map<string, string>();
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if ((entry.name.startsWith(".") && path !== ".github") || NOT_OURS.has(entry.name)) continue;
    if (entry.isDirectory()) for (const [file, text] of readTree(root, path)) tree.set(file, text);
    else if (SOURCE.test(path) || WORKFLOW.test(path) || /^package(-lock)?\.json$/.test(entry.name))
      tree.set(path, readFileSync(join(root, path), "utf8"));
  }
  return tree;
}

/** The source modules of a tree that lie in a folder, without what `init` copies into the Zuplo project. */
export function sources(tree: Tree): [path: string, text: string][] {
  return [...tree].filter(
    ([path]) => SOURCE.test(path) && path.includes("/") && !path.startsWith("dev/gateway/project/modules/audit-log."),
  );
}

/** The top-level folder of a path. */
export function rungOf(path: string): string {
  return path.split("/", 1)[0] ?? "";
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

const IMPORTING = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
]);

/** Every module specifier a module names: static, dynamic, re-exported, and types alike. */
export function specifiersOf(path: string, text: string): string[] {
  const found: string[] = [];
  walk(program(path, text), (node) => {
    const source = (node["source"] ?? node["argument"]) as { value?: unknown; literal?: { value?: unknown } } | null;
    const value = source?.value ?? source?.literal?.value;
    if (IMPORTING.has(node.type) && typeof value === "string") found.push(value);
  });
  return found;
}

/** The modules inside the repository that a module imports; data such as JSON is none. */
export function localImports(path: string, text: string): string[] {
  return specifiersOf(path, text)
    .filter((specifier) => specifier.startsWith(".") && !specifier.endsWith(".json"))
    .map((specifier) => posix.join(posix.dirname(path), specifier));
}

/** The packages and built-in modules that a module imports. */
export function packageImports(path: string, text: string): string[] {
  return specifiersOf(path, text)
    .filter((specifier) => !specifier.startsWith("."))
    .map((specifier) =>
      specifier.startsWith("@") ? specifier.split("/", 2).join("/") : (specifier.split("/", 1)[0] ?? ""),
    );
}

/** What a module imports by name from modules inside the repository, as `path#name`. */
export function namedImports(path: string, text: string): string[] {
  const { module } = parse(path, text);
  return module.staticImports.flatMap(({ moduleRequest, entries }) =>
    entries.map(
      ({ importName }) => `${posix.join(posix.dirname(path), moduleRequest.value)}#${importName.name ?? "default"}`,
    ),
  );
}

/** The names that a module exports; `default` for its default export. */
export function exportedNames(path: string, text: string): string[] {
  const { module } = parse(path, text);
  return module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ exportName }) => (is(exportName.kind, "Default") ? ["default"] : (exportName.name ?? []))),
  );
}

/** The parser's kinds are enums without values that a module could import. */
function is(kind: string, expected: string): boolean {
  return kind === expected;
}

/** The exports that a module uses, as `path#name`, or `path#*` if it imports the whole module. Re-exports count. */
export function usedExports(path: string, text: string): string[] {
  const { module } = parse(path, text);
  const entry = (specifier: string, name: string) => `${posix.join(posix.dirname(path), specifier)}#${name}`;
  const imported = module.staticImports.flatMap(({ moduleRequest, entries }) =>
    entries.map(({ importName: { kind, name } }) =>
      entry(moduleRequest.value, is(kind, "NamespaceObject") ? "*" : (name ?? "default")),
    ),
  );
  const passedOn = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, importName: { kind, name } }) =>
      moduleRequest ? [entry(moduleRequest.value, is(kind, "Name") ? (name ?? "default") : "*")] : [],
    ),
  );
  // Of types too: `import("./a.ts").A`.
  const dynamic = [...text.matchAll(/\bimport\(\s*["']([^"']+)["']/g)].map(([, specifier = ""]) =>
    entry(specifier, "*"),
  );
  return [...imported, ...passedOn, ...dynamic];
}

/** The exported functions of a module that have no doc comment. */
export function undocumentedFunctions(path: string, text: string): string[] {
  const { program: root, comments } = parse(path, text);
  const docEnds = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*")).map(({ end }) => end);
  return root.body
    .filter((node) => node.type === "ExportNamedDeclaration" || node.type === "ExportDefaultDeclaration")
    .filter(({ start }) => !docEnds.some((end) => end <= start && text.slice(end, start).trim() === ""))
    .flatMap(({ declaration }) =>
      declaration?.type === "FunctionDeclaration" ? [declaration.id?.name ?? "default"] : [],
    );
}

type Parsed = ReturnType<typeof parseSync>;
const parsedBefore = new Map<string, Parsed>();

/** Parses each module once, because every rule reads the whole tree. */
function parse(path: string, text: string): Parsed {
  const key = `${path}\n${text}`;
  const parsed = parsedBefore.get(key) ?? parseSync(path, text);
  parsedBefore.set(key, parsed);
  return parsed;
}

function program(path: string, text: string): Node {
  const { program: root, errors } = parse(path, text);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  return root as unknown as Node;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value && typeof value.type === "string") visit(value as Node);
  for (const child of Object.values(value)) walk(child, visit);
}
