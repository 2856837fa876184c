/** Runs command blocks and compares what they print. */
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { ROOT, type Block } from "./pages.ts";

export interface Command {
  readonly text: string;
  /** Absent: any output will do. */
  readonly expected?: string;
}

/**
 * The commands of a block. In `console`, a command starts with `$ ` and goes on in lines that start with `> `; what follows is its
 * output, in which `…` stands for anything: alone on a line for any lines. `sh` is one script without output.
 */
export function commandsOf({ language, text }: Pick<Block, "language" | "text">): readonly Command[] {
  if (language !== "console") return [{ text }];
  const commands: { text: string; expected: string[] }[] = [];
  for (const line of text.split("\n")) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) commands.push({ text: line.slice(2), expected: [] });
    else if (line.startsWith("> ") && last && last.expected.length === 0) last.text += `\n${line.slice(2)}`;
    else if (last) last.expected.push(line);
    else throw new Error("a console block must start with a command: $ …");
  }
  return commands.map(({ text, expected }) => ({ text, expected: expected.join("\n") }));
}

/** The pattern of an expected output; a missing newline at the end does not matter. */
export function patternOf(expected: string): RegExp {
  if (expected.trim() === "") return /^$/;
  const lines = expected.trimEnd().split("\n");
  const source = lines.map((line) =>
    line.trim() === "…" ? "(?:.*\n)*?" : `${line.trimEnd().split("…").map(escaped).join(".*")} *(?:\n|$)`,
  );
  return new RegExp(`^${source.join("")}$`);
}

/** Runs one command with bash; stdout and stderr come as one text. */
export async function runCommand(
  text: string,
  env: Readonly<Record<string, string>>,
  cwd: string = ROOT,
): Promise<{ exitCode: number | null; output: string }> {
  const child = startCommand(text, env, cwd);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { exitCode, output };
}

/** Starts a command as `runCommand` does, in a process group of its own. */
export function startCommand(text: string, env: Readonly<Record<string, string>>, cwd: string) {
  // Into one pipe: what comes through two has lost its order.
  return spawn("bash", ["-euo", "pipefail", "-c", `exec 2>&1\n${text}`], {
    cwd,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      NO_COLOR: "1",
      npm_config_offline: "true",
      ...env,
    },
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}
