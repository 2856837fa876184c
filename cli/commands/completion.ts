/** `completion`: prints the script that lets a shell complete our commands and options. */
import yargs from "yargs";
import { command } from "../run/command.ts";

export const completion = command({
  usage: "completion",
  about: "Print the shell completion script (for bash, or zsh if that is your shell)",
  examples: [["completion >> ~/.bashrc", "complete in every new shell"]],
  run: () => {
    const script = completionScript();
    return Promise.resolve({ json: { script }, lines: [script] });
  },
});

/** yargs prints its script only through `console.log`. */
function completionScript(): string {
  const printed: string[] = [];
  const log = console.log;
  console.log = (text: string) => void printed.push(text);
  try {
    yargs().scriptName("audit-forwarder").showCompletionScript();
  } finally {
    console.log = log;
  }
  return printed.join("\n");
}
