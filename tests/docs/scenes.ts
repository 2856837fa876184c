/** Where the command blocks of a page run. A block names its scene by `<!-- run: name -->`; without a name it is `clean`. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./pages.ts";

export interface Scene {
  /** Added to the environment of every command. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Every scene by its name. */
export const SCENES: Readonly<Record<string, () => Promise<Scene>>> = { clean };

/** A home directory with a fresh Zuplo project in `~/my-gateway`, and no account anywhere. */
async function clean(): Promise<Scene> {
  const home = await mkdtemp(join(tmpdir(), "docs-home-"));
  await cp(join(ROOT, "tests/cli/fixtures/zuplo-template"), join(home, "my-gateway"), { recursive: true });
  return { env: { HOME: home }, stop: () => rm(home, { recursive: true, force: true }) };
}
