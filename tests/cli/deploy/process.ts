/** Runs `npm run deploy`'s program as a process, with the fake wrangler and an account in a file. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { inject, onTestFinished } from "vitest";

export const ROOT = resolve(fileURLToPath(new URL("../../../", import.meta.url)));
const FAKE_WRANGLER = fileURLToPath(new URL("fake-wrangler.mjs", import.meta.url));

export interface Account {
  readonly calls: readonly { readonly args: readonly string[]; readonly input: string }[];
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly namespaces: readonly { readonly id: string; readonly title: string }[];
  readonly workers: readonly string[];
  readonly buckets: readonly string[];
}

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A fresh account; `write` makes files beside it. Gone when the test ends. */
export async function newAccount(state: object = {}): Promise<{
  readonly env: Readonly<Record<string, string>>;
  readonly read: () => Promise<Account>;
  readonly write: (name: string, text: string) => Promise<string>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "deploy-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "state.json");
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  await write("state.json", JSON.stringify(state));
  return {
    env: { WRANGLER: FAKE_WRANGLER, FAKE_WRANGLER_STATE: path },
    read: async () => ({
      calls: [],
      secrets: {},
      namespaces: [],
      workers: [],
      buckets: [],
      ...(JSON.parse(await readFile(path, "utf8")) as object),
    }),
    write,
  };
}

/** Runs the program without a terminal. */
export async function runDeploy(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [inject("cliFile"), "deploy", ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { exitCode, stdout, stderr };
}
