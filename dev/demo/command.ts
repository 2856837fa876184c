/** Runs a command of the CLI in this process, as a person would in a terminal. */
import { loadCommands } from "../../cli/commands/index.ts";
import { commandLine } from "../../cli/parser.ts";
import type { Report } from "../../cli/run/command.ts";
import { processIo } from "../../cli/run/io.ts";
import { AuditError } from "../../shared/errors.ts";

/** Runs a command with these variables and returns its report. Throws whatever the command throws. */
export async function runCommand(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Report> {
  const reports: Report[] = [];
  const parser = commandLine({
    commands: await loadCommands(words[0]),
    io: () => processIo(env),
    finish: (report) => void reports.push(report),
    readSecrets: () => Promise.resolve(),
  });
  await parser.parseAsync(words);
  const [report] = reports;
  if (!report) throw new AuditError("internal", `"${words.join(" ")}" ended without a report`);
  return report;
}
