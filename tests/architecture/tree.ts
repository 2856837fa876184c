/** The repository as the architecture rules see it: paths and texts, and what each module imports and exports. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseSync } from "oxc-parser";

/** Text by path, relative to the repository, with forward slashes. */
export type Tree = ReadonlyMap<string, string>;

const NOT_OURS = new Set(["node_modules", "dist", "coverage"]);
const SOURCE = /\.(ts|mjs)$/;
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
  const { module } = parseSync(path, text);
  return module.staticImports.flatMap(({ moduleRequest, entries }) =>
    entries.map(
      ({ importName }) => `${posix.join(posix.dirname(path), moduleRequest.value)}#${importName.name ?? "default"}`,
    ),
  );
}

/** The exported functions of a module that no doc comment stands in front of. */
export function undocumentedFunctions(path: string, text: string): string[] {
  const { program: root, comments } = parseSync(path, text);
  const docEnds = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*")).map(({ end }) => end);
  return root.body
    .filter((node) => node.type === "ExportNamedDeclaration" || node.type === "ExportDefaultDeclaration")
    .filter(({ start }) => !docEnds.some((end) => end <= start && text.slice(end, start).trim() === ""))
    .flatMap(({ declaration }) =>
      declaration?.type === "FunctionDeclaration" ? [declaration.id?.name ?? "default"] : [],
    );
}

function program(path: string, text: string): Node {
  const { program: root, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  return root as unknown as Node;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value && typeof value.type === "string") visit(value as Node);
  for (const child of Object.values(value)) walk(child, visit);
}
