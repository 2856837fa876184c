/** What a person sees while it runs and at the end. */
import { Presets, SingleBar } from "cli-progress";
import CliTable from "cli-table3";
import type { RunContext } from "./part.ts";
import type { PartResult } from "./readme.ts";

interface Progress {
  readonly step: RunContext["step"];
  end(): void;
}

/** In a pipe a part tells of itself at most this often, so that a log stays short. */
const LINES = 10;

/** A bar on a terminal, plain lines elsewhere; always on stderr, so that `--json` stays clean. */
export function progressOf(part: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? bar(part, stream) : plainLines(part, stream);
}

function bar(part: string, stream: NodeJS.WriteStream): Progress {
  const view = new SingleBar(
    { format: `${part} {bar} {percentage}% | {label}`, hideCursor: true, stream },
    Presets.rect,
  );
  view.start(1, 0, { label: "starting" });
  return {
    step(label, done, total) {
      view.setTotal(total);
      view.update(done, { label });
    },
    end: () => view.stop(),
  };
}

function plainLines(part: string, stream: NodeJS.WriteStream): Progress {
  let shown = -1;
  stream.write(`${part}: starting\n`);
  return {
    step(label, done, total) {
      const line = Math.floor((done / total) * LINES);
      if (line === shown) return;
      shown = line;
      stream.write(`${part}: ${Math.round((done / total) * 100)} % ${label}\n`);
    },
    end: () => undefined,
  };
}

/** Prints one part's tables, and each goal as met or missed. */
export function printResult({ title, tables, goals }: PartResult): void {
  console.log(`\n${title}`);
  for (const { title: name, head, rows } of tables) {
    const table = new CliTable({ head: [...head], style: { head: [], border: [] } });
    for (const row of rows) table.push([...row]);
    console.log(`${name}\n${table.toString()}`);
  }
  for (const { name, goal, figure, met } of goals) console.log(`${met ? "✓" : "✗"} ${name}: ${figure} (goal ${goal})`);
}
