/** Writes the results: `README.md` with a section for each part between markers, and `results.json` beside it. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { svgOf } from "./chart.ts";
import { type Conditions, conditionsLine } from "./conditions.ts";
import { type Goal, PART_NAMES, type PartName, type PartReport, type Table } from "./part.ts";

const README = fileURLToPath(new URL("../README.md", import.meta.url));
const RESULTS = fileURLToPath(new URL("../results.json", import.meta.url));

export interface PartResult extends PartReport {
  readonly name: PartName;
  readonly title: string;
  readonly conditions: Conditions;
}

const FRAME = `# Benchmarks

\`npm run bench\` writes everything between the markers below. \`npm run bench -- --only bytes\` runs one part. \`--quick\` runs a tenth
of the work and writes nothing. Subjects that are compared run in the same run, interleaved. The interval after a ratio contains 95 %
of its bootstrap resamples. ✗ marks a goal that was missed.

${PART_NAMES.map((name) => `${begin(name)}\n${end(name)}`).join("\n\n")}
`;

/** Writes the results between their markers and leaves all other text unchanged. */
export async function writeResults(results: readonly PartResult[], readme = README, json = RESULTS): Promise<void> {
  const text = await readFile(readme, "utf8").catch(() => FRAME);
  const config = { ...(await resolveConfig(README)), parser: "markdown" };
  await writeFile(readme, await format(results.reduce(withSection, text), config));
  await writeCharts(results, dirname(readme));
  const known = JSON.parse(await readFile(json, "utf8").catch(() => "{}")) as Record<string, unknown>;
  const all = Object.fromEntries(PART_NAMES.map((name) => [name, known[name]]));
  for (const { name, conditions, goals, data } of results) all[name] = { conditions, goals, data };
  await writeFile(json, await format(JSON.stringify(all), { ...config, parser: "json" }));
}

async function writeCharts(results: readonly PartResult[], directory: string): Promise<void> {
  for (const { name, charts = [] } of results) {
    for (const chart of charts) {
      const path = join(directory, chartPath(name, chart.name));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, svgOf(chart));
    }
  }
}

function chartPath(part: PartName, name: string): string {
  return `charts/${part}-${name}.svg`;
}

/** Replaces this part's section. Appends it at the end if the text has no marker for it. */
export function withSection(text: string, result: PartResult): string {
  const from = text.indexOf(begin(result.name));
  const to = text.indexOf(end(result.name), from);
  if (from < 0 || to < 0) return `${text.trimEnd()}\n\n${section(result)}\n`;
  return text.slice(0, from) + section(result) + text.slice(to + end(result.name).length);
}

function section({ name, title, conditions, tables, charts = [], goals, notes }: PartResult): string {
  const parts = [
    begin(name),
    `## ${title}`,
    conditionsLine(conditions),
    ...(goals.length > 0 ? [goalTable(goals)] : []),
    ...tables.map((table) => `${table.title}:\n\n${markdownTable(table)}`),
    ...charts.map((chart) => `![${chart.title}](${chartPath(name, chart.name)})`),
    ...notes,
    end(name),
  ];
  return parts.join("\n\n");
}

function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map(({ name, goal, figure, met }) => [met ? "✓" : "✗", name, goal, figure]);
  return markdownTable({ head: ["", "goal", "wanted", "measured"], rows });
}

function markdownTable({ head, rows }: Pick<Table, "head" | "rows">): string {
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function begin(name: PartName): string {
  return `<!-- bench:${name} -->`;
}

function end(name: PartName): string {
  return `<!-- /bench:${name} -->`;
}
