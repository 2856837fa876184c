/** `completion`: the script that makes a shell complete our commands and options. */
import yargs from "yargs";
import { command } from "../run/command.ts";

export const completion = command({
  usage: "completion",
  about: "Print the script for shell completion (bash, or zsh where that is the shell)",
  examples: [["completion >> ~/.bashrc", "complete in every new shell"]],
  run: () => {
    const script = completionScript();
    return Promise.resolve({ json: { script }, lines: [script] });
  },
});

/** yargs only prints its script, by `console.log`. */
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
