/** The program `audit-forwarder`: parses a command line, runs one command, prints its report. */
import { readSecretsFile } from "./deploy/secrets-file.ts";
import { loadCommands } from "./commands/index.ts";
import { commandLine } from "./parser.ts";
import type { Report } from "./run/command.ts";
import { failureOf } from "./run/failure.ts";
import { programVersion } from "./run/installation.ts";
import type { Io } from "./run/io.ts";
import { visible } from "./run/text.ts";

type Variables = Io["env"];

/**
 * Runs one command line. Returns the exit code: 0 done, 1 failed, 2 wrong use.
 *
 * `env` holds the variables, which override those of the secrets file. `connect` returns the edge for a command with the variables
 * of both; `secretsFile` is the file that some of them came from.
 */
export async function runProgram(
  line: readonly string[],
  env: Variables,
  connect: (env: Variables, secretsFile?: string) => Io,
): Promise<number> {
  const variables = { ...env };
  let io = connect(variables);
  let exitCode = 0;
  const readSecrets = async (secretsFile: string): Promise<void> => {
    const { plain, secrets } = await readSecretsFile(secretsFile, io.note);
    for (const [name, value] of Object.entries({ ...plain, ...secrets })) variables[name] ||= value;
    io = connect(variables, secretsFile);
  };
  const finish = (report: Report, json: boolean): void => {
    const text = json ? jsonText(report.json) : report.lines.join("\n");
    if (text !== "") io.print(text);
    if (report.ok === false) exitCode = 1;
  };
  try {
    if (line[0] === "wrangler") {
      const wrangler = await import("./deploy/wrangler-run.ts");
      return await wrangler.runWrangler(line.slice(1), env);
    }
    const parser = commandLine({
      commands: await loadCommands(line[0]),
      io: () => io,
      finish,
      readSecrets,
      version: versionText(line),
    });
    // yargs lays out the help of each command that runs, and most of that time is wrapping.
    if (!line.includes("--help") && !line.includes("-h")) parser.wrap(null);
    await parser.parseAsync(line, {}, (_error, _args, help) => {
      if (help !== "") io.print(help);
    });
    return exitCode;
  } catch (error) {
    return fail(error, line, io);
  }
}

/** Read on demand, because a clone asks git for its commit. */
function versionText(line: readonly string[]): string {
  if (!line.includes("--version")) return "";
  const { version, commit } = programVersion();
  return `${version} (commit ${commit})`;
}

function fail(error: unknown, line: readonly string[], io: Io): number {
  const { exitCode, code, message } = failureOf(error);
  if (line.includes("--json")) io.print(jsonText({ error: { code, message } }));
  io.note(`error[${code}]: ${visible(message)}`);
  return exitCode;
}

/** JSON does not escape the control characters above 0x7e, and a terminal may obey them. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /[\u007f-\u009f]/g,
    (char) => `\\u00${char.charCodeAt(0).toString(16)}`,
  );
}
