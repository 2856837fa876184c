import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { marked, type Token, type Tokens } from "marked";
import { parseSync, type Directive, type Statement } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { ROOT } from "./pages.ts";

/** Each newcomer's question must have its row. */
const QUESTIONS = [
  "retry delay",
  "409",
  "field to the record",
  "class of dead letters",
  "command",
  "token",
  "rows in the ledger",
  "alerts end",
  "header dropped",
  "destination",
];

interface Row {
  readonly question: string;
  /** Files in the order in which the row names them, each with the names to look for in it. */
  readonly files: readonly { readonly path: string; readonly names: readonly string[] }[];
}

/** The rows of the table under "Where things are". */
function rowsOf(markdown: string): readonly Row[] {
  const tokens = marked.lexer(markdown);
  const heading = tokens.findIndex((token) => token.type === "heading" && token["text"] === "Where things are");
  const table = tokens.slice(heading).find((token): token is Tokens.Table => token.type === "table");
  return (table?.rows ?? []).map(([question, answer]) => ({
    question: question?.text ?? "",
    files: filesOf(answer?.tokens ?? []),
  }));
}

function filesOf(tokens: readonly Token[]): Row["files"] {
  const files: { path: string; names: string[] }[] = [];
  for (const token of tokens) {
    if (token.type === "link") files.push({ path: String(token["href"]), names: [] });
    if (token.type === "codespan") files.at(-1)?.names.push(String(token["text"]));
  }
  return files;
}

function faultsOf({ files }: Row): readonly string[] {
  const tooMany = files.length < 1 || files.length > 3 ? [`names ${files.length} files; 1 to 3 are allowed`] : [];
  const wrong = files.flatMap(({ path, names }) => {
    if (!existsSync(join(ROOT, path))) return [`${path} does not exist`];
    if (names.length === 0) return [`${path} needs a name to look for`];
    const declared = declaredIn(path, readFileSync(join(ROOT, path), "utf8"));
    return names.filter((name) => !declared.has(name)).map((name) => `${path} does not declare ${name}`);
  });
  return [...tooMany, ...wrong];
}

/** Names of the functions, classes, constants and types that a module declares at its top level. */
function declaredIn(path: string, text: string): ReadonlySet<string> {
  const { body } = parseSync(path, text).program;
  const declarations = body.map((node) => (node.type === "ExportNamedDeclaration" ? node.declaration : node));
  return new Set(declarations.flatMap((node) => (node ? namesOf(node) : [])));
}

function namesOf(node: Statement | Directive): readonly string[] {
  if (node.type === "VariableDeclaration") {
    return node.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  }
  const isNamed =
    node.type === "FunctionDeclaration" ||
    node.type === "ClassDeclaration" ||
    node.type === "TSInterfaceDeclaration" ||
    node.type === "TSTypeAliasDeclaration";
  return isNamed && node.id ? [node.id.name] : [];
}

describe("the table in CONTRIBUTING.md", () => {
  const rows = rowsOf(readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8"));

  it.each(QUESTIONS)("answers the question about: %s", (words) => {
    expect(rows.map(({ question }) => question)).toContainEqual(expect.stringContaining(words));
  });

  it.each(rows.map((row) => [row.question, row] as const))("%s", (_question, row) => {
    expect(faultsOf(row)).toEqual([]);
  });
});

it("refuses a missing file, a name that a file only mentions, no name and a fourth file", () => {
  const link = (path: string, name: string) => `[${path}](${path}) \`${name}\``;
  const outcome = link("shared/outcome.ts", "outcomeOf");
  const answers = [
    link("shared/gone.ts", "outcomeOf"),
    link("shared/outcome.ts", "RETRY_AFTER_MAX_MS"),
    "[shared/outcome.ts](shared/outcome.ts)",
    [outcome, outcome, outcome, outcome].join("; "),
    [outcome, link("worker/monitor/announcer.ts", "Announcer")].join("; "),
  ];
  const markdown = `## Where things are\n\n| a | b |\n| - | - |\n${answers.map((answer) => `| q | ${answer} |`).join("\n")}`;
  expect(rowsOf(markdown).map(faultsOf)).toEqual([
    ["shared/gone.ts does not exist"],
    ["shared/outcome.ts does not declare RETRY_AFTER_MAX_MS"],
    ["shared/outcome.ts needs a name to look for"],
    ["names 4 files; 1 to 3 are allowed"],
    [],
  ]);
});
