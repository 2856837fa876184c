/** Every command that the CLI suggests, and every example in its help, is one that the CLI accepts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCommands } from "../../cli/commands/index.ts";
import { commandLine } from "../../cli/parser.ts";
import { WrongUse } from "../../cli/run/failure.ts";
import type { Io } from "../../cli/run/io.ts";
import { PROGRAM, type SuggestionName, type SuggestionValues, suggestFrom } from "../../cli/run/suggestion.ts";
import { ROOT } from "./deploy/process.ts";

const ID = "019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a07";
const DIRECTORY = "/srv/my api";

/** Values for each suggestion. One that is added without values here does not compile. */
const VALUES: { readonly [Name in SuggestionName]: readonly SuggestionValues<Name>[] } = {
  help: [[], [["dead-letters", "list"]]],
  init: [[DIRECTORY], [DIRECTORY, "writes"]],
  initCheck: [[DIRECTORY]],
  coverageUpdate: [[DIRECTORY]],
  doctor: [[]],
  doctorWithoutEvent: [[]],
  schemasHelp: [["check"], ["push"]],
  schemas: [
    ["check", DIRECTORY],
    ["push", DIRECTORY, "/srv/my lock.json"],
  ],
  trace: [[ID]],
  resume: [[]],
  reveal: [[ID]],
  replayPlan: [[ID]],
  replayResume: [["rp_1"]],
  discard: [[ID, "unknown organization"]],
  dev: [[]],
  build: [[]],
  deployDryRun: [[]],
  deployHelp: [[]],
  wrangler: [["login"], ["secret", "bulk", "--env", "staging"]],
};

function linesFrom(directory: string, secretsFile?: string): readonly string[] {
  const suggest = suggestFrom(directory, secretsFile);
  return Object.entries(VALUES).flatMap(([name, samples]) =>
    samples.map((values) => suggest(name as "trace", ...(values as [string]))),
  );
}

/** Runs a line as printed. With nothing but PATH and an empty home, no command can reach a service. */
async function shell(line: string, cwd: string): Promise<{ readonly exitCode: number; readonly output: string }> {
  const { PATH = "", NODE_COMPILE_CACHE = "" } = process.env;
  const child = spawn("sh", ["-c", `${line} 2>&1`], {
    cwd,
    env: { PATH, NODE_COMPILE_CACHE, HOME: elsewhere },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { exitCode: Number(exitCode), output };
}

/** The words of a line as a shell reads them, without what it redirects. */
async function wordsOf(line: string): Promise<readonly string[]> {
  const { output } = await shell(`printf '%s\\0' ${line.replace(/ (?:>>?|<) \S+$/, "")}`, elsewhere);
  return output.split("\0").slice(0, -1);
}

const ACCEPTED = new Error("the command itself would run now");

/** Gives a line to the real parser, up to where the command would start. Throws what the parser refuses it for. */
async function accept(line: string): Promise<{ readonly help?: string }> {
  const words = await wordsOf(line);
  const start = words.indexOf("audit-forwarder");
  if (start < 0) throw new Error(`starts another program: ${line}`);
  let isParsed = false;
  const parser = commandLine({
    commands: await loadCommands(words[start + 1]),
    io: () => {
      if (isParsed) throw ACCEPTED;
      return { suggest: suggestFrom(ROOT) } as Io;
    },
    finish: () => undefined,
    readSecrets: () => Promise.resolve(),
  })
    .wrap(null)
    .middleware(() => void (isParsed = true));
  let help: string | undefined;
  try {
    await parser.parseAsync(words.slice(start + 1), {}, (_error, _args, output) => void (help = output));
  } catch (error) {
    if (error !== ACCEPTED) throw error;
    return {};
  }
  if (help?.includes(PROGRAM)) return { help };
  throw new Error(`ends without a command: ${line}`);
}

let elsewhere: string;
beforeAll(async () => {
  elsewhere = await mkdtemp(join(tmpdir(), "suggestion "));
});
afterAll(() => rm(elsewhere, { recursive: true }));

describe("a suggested command", () => {
  const all = [...linesFrom(ROOT), ...linesFrom("/srv", "my secrets.env")];

  it.each(all.filter((line) => line.startsWith("npx ")))("is accepted by the CLI: %s", async (line) => {
    const { help } = await accept(line);
    expect(help !== undefined).toBe(line.endsWith("--help"));
  });

  it.each(all.filter((line) => line.startsWith("npm ")))("names a script: %s", async (line) => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { scripts: object };
    expect(Object.keys(scripts)).toContain(/ run (\w+)/.exec(line)?.[1]);
  });

  it("is refused by this test if the CLI does not know its command, an option or an argument", async () => {
    for (const words of ["resum", "resume --now", "trace", "dead-letters show", "init a b"])
      await expect(accept(`${PROGRAM} ${words}`)).rejects.toThrow(WrongUse);
    await expect(accept("npx another-program resume")).rejects.toThrow("another program");
  });

  it.each<[SuggestionName, string]>([
    ["initCheck", '"/srv/my api" is not a directory'],
    ["resume", '"AUDIT_WORKER_URL" is not set'],
    ["deployHelp", "Deploy the worker to Cloudflare"],
  ])("runs as printed in the clone and outside of it: %s", async (name, expected) => {
    for (const directory of [ROOT, elsewhere]) {
      const line = suggestFrom(directory)(name as "initCheck", ...(VALUES[name][0] as [string]));
      expect((await shell(line, directory)).output).toContain(expected);
    }
  });
});

/** The help of the program, of each command, and of each command in a group. */
async function helpPages(command = ""): Promise<readonly (readonly [command: string, help: string])[]> {
  const { help = "" } = await accept(`${PROGRAM}${command} --help`);
  const words = [...help.matchAll(new RegExp(`^  ${PROGRAM}${command} ([a-z-]+)\\b.* {2,}\\S`, "gm"))];
  const isGroup = help.includes("\nCommands:");
  const below = isGroup ? await Promise.all(words.map(([, word]) => helpPages(`${command} ${word}`))) : [];
  return [[command, help], ...below.flat()];
}

it("every example in the help is accepted by the CLI", async () => {
  const pages = await helpPages();
  expect(pages.map(([command]) => command)).toContain(" dead-letters replay");
  const examples = pages.flatMap(([, help]) =>
    [...(help.split("\nExamples:\n")[1] ?? "").matchAll(new RegExp(`^  (${PROGRAM} .*?) {2,}\\S`, "gm"))].map(
      ([, line = ""]) => line,
    ),
  );
  expect(examples).toContain(`${PROGRAM} init ./my-api --check`);
  for (const line of examples) expect.soft(await accept(line).catch(String), line).toEqual({});
});

it("every command that docs/agents.md gives to coding agents is accepted by the CLI", async () => {
  const page = await readFile(join(ROOT, "docs/agents.md"), "utf8");
  const commands = [...page.matchAll(/`(npx audit-forwarder [^`]+)`/g)].map(([, command = ""]) => command);
  expect(commands.length).toBeGreaterThan(10);
  const real = (command: string) => command.replaceAll("<project>", "my-api").replaceAll("<zp-rid>", ID);
  for (const command of commands) expect.soft(await accept(real(command)).catch(String), command).toEqual({});
});
