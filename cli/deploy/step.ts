/** One step of a deploy as it is shown and as `--json` prints it. */
import type { Io } from "../run/io.ts";

export interface Step {
  readonly name: "bundle" | "directory" | "evidence" | "secrets" | "deploy" | "worker url" | "doctor";
  /** `would`: a dry run stopped before it. `skipped`: there was nothing to do. */
  readonly state: "done" | "would" | "skipped" | "failed";
  readonly detail: string;
  /** The command that was or would be run; `stdin` lists the names of the values that it reads. */
  readonly command?: string;
  readonly stdin?: readonly string[];
}

const MARKS = { done: ["green", "✓"], would: ["cyan", "·"], skipped: ["gray", "-"], failed: ["red", "✗"] } as const;

/** Formats a step for people. */
export function stepLines(step: Step, io: Pick<Io, "paint">): readonly string[] {
  const [colour, mark] = MARKS[step.state];
  const command =
    step.command === undefined ? [] : [`             ${step.state === "would" ? "would run" : "ran"}: ${step.command}`];
  const stdin = step.stdin === undefined ? [] : [`             on stdin: ${step.stdin.join(", ")}`];
  return [`${io.paint(colour, mark)} ${step.name.padEnd(10)} ${step.detail}`, ...command, ...stdin];
}
