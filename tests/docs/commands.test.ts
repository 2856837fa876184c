import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { commandsOf, patternOf, runCommand } from "./console.ts";
import { pages, ROOT, type Block } from "./pages.ts";
import { SCENES, type Scene } from "./scenes.ts";
import { WALKED } from "./walk.ts";

const COMMAND_LANGUAGES = new Set(["sh", "bash", "shell", "console", "shell-session", "zsh"]);
const LOOKS_LIKE_A_COMMAND = /^(?:\$ |npm |npx |curl |git )/m;

/** What a block's comment asks for; a block without one runs in `clean`. */
function planOf({ comment = "" }: Block): { readonly scene?: string; readonly fault?: string } {
  const [, verb = "", rest = ""] = /^(not run|run)(?: here)?: ?([\s\S]*)$/.exec(comment) ?? [];
  if (verb === "not run") return { ...faultOf(rest) };
  const scene = verb === "run" ? rest.trim() : "clean";
  return scene in SCENES ? { scene } : { fault: `names no scene: ${scene}` };
}

/** A reason is a sentence, and a test that it names must be there. */
function faultOf(reason: string): { readonly fault?: string } {
  const missing = [...reason.matchAll(/\btests\/[\w./-]+\w/g)].find(([path]) => !existsSync(join(ROOT, path)));
  if (missing) return { fault: `names a test that is not there: ${missing[0]}` };
  return reason.trim().length > 10 ? {} : { fault: "says no reason" };
}

/**
 * A folder with an `npx` that starts the CLI at once: npm's own start takes most of a command's processor time. The real one is tested
 * in tests/cli/suggestion.test.ts and tests/release.
 */
let quickNpx: string;
beforeAll(async () => {
  quickNpx = await mkdtemp(join(tmpdir(), "docs-npx-"));
  const script = `#!/bin/sh
[ "$1" = audit-forwarder ] || { echo "npx: no stand-in for $1"; exit 1; }
shift
exec '${process.execPath}' '${inject("cliFile")}' "$@"
`;
  await writeFile(join(quickNpx, "npx"), script, { mode: 0o755 });
});
afterAll(() => rm(quickNpx, { recursive: true }));

/** For the commands of every scene; the cache only saves time. */
function environment(): Readonly<Record<string, string>> {
  const { PATH = "", NODE_COMPILE_CACHE = "" } = process.env;
  return { PATH: [quickNpx, dirname(process.execPath), PATH].join(delimiter), NODE_COMPILE_CACHE };
}

const unwalked = pages().filter(({ path }) => !WALKED.some((walked) => walked === path));

describe.each(unwalked.map((page) => [page.path, page] as const))("%s", (_path, page) => {
  const blocks = page.blocks.filter(({ language }) => COMMAND_LANGUAGES.has(language));
  const started = new Map<string, Promise<Scene>>();
  afterAll(async () => {
    for (const scene of started.values()) await (await scene).stop();
  });
  const sceneOf = (name: string): Promise<Scene> => {
    const scene = started.get(name) ?? (SCENES[name] as () => Promise<Scene>)();
    started.set(name, scene);
    return scene;
  };

  it("runs each command block or says why not, and hides none in a block without a language", () => {
    const hidden = page.blocks.filter(({ language, text }) => language === "" && LOOKS_LIKE_A_COMMAND.test(text));
    expect(hidden).toEqual([]);
    expect(blocks.flatMap((block) => planOf(block).fault ?? [])).toEqual([]);
    // It runs under whichever Node is first on PATH, and refuses Node 20; `npm run wrangler` finds Node 24.
    expect(blocks.filter(({ text }) => text.includes("npx wrangler"))).toEqual([]);
  });

  const toRun = blocks.flatMap((block) => {
    const { scene } = planOf(block);
    return scene === undefined ? [] : [[block.text.split("\n")[0] ?? "", block, scene] as const];
  });
  it.each(toRun)("%s", async (_first, block, name) => {
    const { env, replacements = new Map() } = await sceneOf(name);
    const text = [...replacements].reduce((here, [written, real]) => here.replaceAll(written, real), block.text);
    for (const { text: command, expected } of commandsOf({ ...block, text })) {
      const { exitCode, output } = await runCommand(command, { ...environment(), ...env });
      expect.soft(exitCode, `${command}\n${output}`).toBe(0);
      const isExpected = expected === undefined || patternOf(expected).test(output);
      expect.soft(isExpected ? expected : output).toBe(expected);
    }
  });
});
