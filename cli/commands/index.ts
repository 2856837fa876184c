/** Every command, in the order of the help. */
import type { Registration } from "../run/command.ts";

/** By the first word of their usage. Each is loaded on demand, because loading all takes most of a short run. */
const COMMANDS: ReadonlyMap<string, () => Promise<Registration>> = new Map([
  ["init", async () => (await import("./init.ts")).init],
  ["coverage", async () => (await import("./coverage.ts")).coverage],
  ["preview", async () => (await import("./preview.ts")).preview],
  ["deploy", async () => (await import("./deploy.ts")).deploy],
  ["upgrade", async () => (await import("./upgrade.ts")).upgrade],
  ["doctor", async () => (await import("./doctor.ts")).doctor],
  ["schemas", async () => (await import("./schemas/index.ts")).schemas],
  ["incidents", async () => (await import("./incidents.ts")).incidents],
  ["dead-letters", async () => (await import("./dead-letters/index.ts")).deadLetters],
  ["replays", async () => (await import("./replays.ts")).replays],
  ["trace", async () => (await import("./trace.ts")).trace],
  ["pause", async () => (await import("./pause.ts")).pause],
  ["resume", async () => (await import("./pause.ts")).resume],
  ["tokens", async () => (await import("./tokens.ts")).tokens],
  ["verify", async () => (await import("./verify.ts")).verify],
  ["evidence", async () => (await import("./evidence/index.ts")).evidence],
  ["pseudonym", async () => (await import("./pseudonym.ts")).pseudonym],
  ["dev", async () => (await import("./dev.ts")).dev],
  ["wrangler", async () => (await import("./wrangler.ts")).wrangler],
  ["completion", async () => (await import("./completion.ts")).completion],
]);

/** Loads the command that a word names, or all commands if it names none. */
export async function loadCommands(word = ""): Promise<readonly Registration[]> {
  const load = COMMANDS.get(word);
  return Promise.all((load ? [load] : [...COMMANDS.values()]).map((each) => each()));
}
