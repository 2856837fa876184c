/** Reads names and their doc comments from a TypeScript source, so that a page says what the code says. */
import { readFile } from "node:fs/promises";
import { parse } from "oxc-parser";
import { AuditError } from "../../shared/errors.ts";

/** One documented name: an exported constant, a member of an object or of a union of strings. */
interface Documented {
  readonly name: string;
  readonly about: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Every exported constant of a file with its doc comment; throws `internal` naming one without. */
export async function exportedConstants(path: string): Promise<readonly Documented[]> {
  const source = await load(path);
  return source.body
    .filter(({ type }) => type === "ExportNamedDeclaration")
    .filter(({ declaration }) => (declaration as Node | null)?.type === "VariableDeclaration")
    .map((statement) => source.documented(nameOf(declaratorOf(statement)["id"]), statement));
}

/** The members of an exported object literal, through `as const`, `satisfies` and one call such as `z.object(…)`. */
export async function membersOf(path: string, constant: string): Promise<readonly Documented[]> {
  const source = await load(path);
  const statement = source.body.find((node) => declares(node, constant));
  if (!statement) throw new AuditError("internal", `"${path}" exports no constant "${constant}"`);
  const object = objectIn(declaratorOf(statement)["init"] as Node);
  return (object["properties"] as Node[]).map((property) => source.documented(nameOf(property["key"]), property));
}

/** The members of an exported union of string literals. */
export async function literalsOf(path: string, alias: string): Promise<readonly Documented[]> {
  const source = await load(path);
  const declaration = source.body
    .map((node) => node["declaration"] as Node | null | undefined)
    .find((node) => node?.type === "TSTypeAliasDeclaration" && nameOf(node["id"]) === alias);
  const union = declaration?.["typeAnnotation"] as Node | undefined;
  if (union?.type !== "TSUnionType") throw new AuditError("internal", `"${path}" exports no union "${alias}"`);
  return (union["types"] as Node[]).map((member) =>
    source.documented(String((member["literal"] as Node)["value"]), member),
  );
}

async function load(
  path: string,
): Promise<{ body: readonly Node[]; documented: (name: string, node: Node) => Documented }> {
  const text = await readFile(path, "utf8");
  const { program, comments } = await parse(path, text);
  const blocks = comments.filter(({ type, value }) => type === "Block" && value.startsWith("*"));
  const documented = (name: string, node: Node): Documented => {
    // Only white space and the bar of a union stand between a comment and what it speaks of.
    const comment = blocks.findLast(({ end }) => end <= node.start && /^[\s|]*$/.test(text.slice(end, node.start)));
    if (!comment) throw new AuditError("internal", `"${name}" in "${path}" has no doc comment`);
    return { name, about: prose(comment.value) };
  };
  return { body: program.body as unknown as readonly Node[], documented };
}

function declares(node: Node, constant: string): boolean {
  const declaration = node["declaration"] as Node | null | undefined;
  return declaration?.type === "VariableDeclaration" && nameOf(declaratorOf(node)["id"]) === constant;
}

function declaratorOf(statement: Node): Node {
  const [declarator] = (statement["declaration"] as { declarations: Node[] }).declarations;
  if (!declarator) throw new AuditError("internal", "a declaration without a declarator");
  return declarator;
}

function objectIn(node: Node): Node {
  if (node.type === "ObjectExpression") return node;
  const inner = (node["expression"] ?? (node["arguments"] as Node[] | undefined)?.[0]) as Node | undefined;
  if (!inner) throw new AuditError("internal", `no object literal in a ${node.type}`);
  return objectIn(inner);
}

function nameOf(node: unknown): string {
  const { name, value } = node as { name?: string; value?: string };
  return name ?? value ?? "";
}

/** A doc comment as one line of prose. */
function prose(comment: string): string {
  return comment
    .replace(/^\*/, "")
    .replaceAll(/\n\s*\* ?/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}
