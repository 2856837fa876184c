/** The entry of `audit-forwarder`: parses the command line, runs one command, prints its report. Exit 0 done, 1 failed, 2 wrong use. */
import { readSecretsFile } from "./deploy/secrets-file.ts";
import { loadCommands } from "./commands/index.ts";
import { commandLine } from "./parser.ts";
import type { Report } from "./run/command.ts";
import { failureOf } from "./run/failure.ts";
import { programVersion } from "./run/installation.ts";
import { processIo } from "./run/io.ts";
import { visible } from "./run/text.ts";

const line = process.argv.slice(2);
/** The process's variables, which override those of the secrets file. */
const variables: Record<string, string | undefined> = { ...process.env };
let io = processIo(variables);

async function readSecrets(secretsFile: string): Promise<void> {
  const { plain, secrets } = await readSecretsFile(secretsFile, io.note);
  for (const [name, value] of Object.entries({ ...plain, ...secrets })) variables[name] ||= value;
  io = processIo(variables, secretsFile);
}

/** Read on demand, because a clone asks git for its commit. */
function versionText(): string {
  if (!line.includes("--version")) return "";
  const { version, commit } = programVersion();
  return `${version} (commit ${commit})`;
}

async function runWrangler(): Promise<void> {
  const wrangler = await import("./deploy/wrangler-run.ts");
  process.exitCode = await wrangler.runWrangler(line.slice(1), process.env);
}

async function run(): Promise<void> {
  const commands = await loadCommands(line[0]);
  const parser = commandLine({ commands, io: () => io, finish, readSecrets, version: versionText() });
  // yargs lays out the help of each command that runs, and most of that time is wrapping.
  if (!line.includes("--help") && !line.includes("-h")) parser.wrap(null);
  await parser.parseAsync(line);
}

function finish(report: Report, json: boolean): void {
  const text = json ? jsonText(report.json) : report.lines.join("\n");
  if (text !== "") process.stdout.write(`${text}\n`);
  if (report.ok === false) process.exitCode = 1;
}

/** JSON does not escape the control characters above 0x7e, and a terminal may obey them. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /[\u007f-\u009f]/g,
    (char) => `\\u00${char.charCodeAt(0).toString(16)}`,
  );
}

function fail(error: unknown): void {
  const { exitCode, code, message } = failureOf(error);
  if (line.includes("--json")) process.stdout.write(`${jsonText({ error: { code, message } })}\n`);
  io.note(`error[${code}]: ${visible(message)}`);
  process.exitCode = exitCode;
}

// A reader such as `head` may close the pipe early; that is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  if (line[0] === "wrangler") await runWrangler();
  else await run();
} catch (error) {
  fail(error);
}
