/** Follows a page of the docs as its reader would: all its command blocks, in order, each exactly as it stands. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { commandsOf, patternOf, runCommand, startCommand, type Command } from "./console.ts";
import { pages, type Block } from "./pages.ts";

/** The pages that a test walks from their first to their last block. `commands.test.ts` leaves them to it. */
export const WALKED = ["docs/getting-started.md"] as const;

interface Walk {
  readonly page: (typeof WALKED)[number];
  /** The folder in which the reader begins. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Texts of the page with what stands for them here. Each must be on the page. */
  readonly substitutions: ReadonlyMap<string, string>;
}

const PATIENCE = { timeout: 120_000, interval: 500 };

/** Runs the page. Fails at the first command that fails or that prints something else than the page says. */
export async function walk({ page, folder, env, substitutions }: Walk): Promise<void> {
  const blocks = pages().find(({ path }) => path === page)?.blocks ?? [];
  const all = blocks.map(({ text }) => text).join("\n");
  expect([...substitutions.keys()].filter((text) => !all.includes(text))).toEqual([]);
  const running: ChildProcess[] = [];
  let cwd = folder;
  try {
    for (const block of blocks.filter(({ language }) => ["sh", "console"].includes(language))) {
      for (const command of commandsOf({ ...block, text: substituted(block, substitutions) })) {
        if (block.comment === "walk: keeps running") running.push(await keep(command, env, cwd));
        else if (block.comment === "walk: again until it is so")
          await vi.waitFor(() => run(command, env, cwd), PATIENCE);
        else await run(command, env, cwd);
        cwd = join(cwd, /(?:^|\n)cd (\S+)$/.exec(command.text)?.[1] ?? "");
      }
    }
  } finally {
    await Promise.all(running.map(interrupted));
  }
}

function substituted({ text }: Block, substitutions: Walk["substitutions"]): string {
  return [...substitutions].reduce((here, [written, real]) => here.replaceAll(written, real), text);
}

async function run({ text, expected }: Command, env: Walk["env"], cwd: string): Promise<void> {
  const { exitCode, output } = await runCommand(text, env, cwd);
  expect(exitCode, `${text}\n${output}`).toBe(0);
  const isExpected = expected === undefined || patternOf(expected).test(output);
  expect(isExpected ? expected : output).toBe(expected);
}

/** A command that runs in a terminal of its own, from when it says that it is ready. */
async function keep({ text }: Command, env: Walk["env"], cwd: string): Promise<ChildProcess> {
  const child = startCommand(text, env, cwd);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    child.once("close", (code) => reject(new Error(`${text} ended with ${code}\n${output}`)));
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (/^Ready\b/m.test(output)) resolve();
    });
  });
  return child;
}

/** As Ctrl-C does it: the signal reaches the whole group. */
async function interrupted(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const closed = once(child, "close");
  process.kill(-child.pid, "SIGINT");
  await closed;
}
