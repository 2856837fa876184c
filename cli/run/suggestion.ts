/** Every command that a message suggests. A message takes it from here, so that one test can run them all as printed. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { quoted } from "./shell.ts";

/** The programs as help pages name them, for a reader in the clone. */
export const PROGRAM = "npx audit-forwarder";
export const DEPLOY_PROGRAM = "npm run deploy --";

interface Suggestion {
  readonly program: "audit-forwarder" | "npm run";
  readonly words: readonly string[];
  /** True if the command reads variables, and so the secrets file. */
  readonly readsVariables?: boolean;
}

/** The commands by name. Paths must be absolute, so that a command works from any directory. */
const SUGGESTIONS = {
  help: () => plain("--help"),
  init: (directory: string, routes?: string) => plain("init", directory, ...option("--routes", routes)),
  initCheck: (directory: string) => plain("init", directory, "--check"),
  coverageUpdate: (directory: string) => plain("coverage", directory, "--update"),
  doctor: () => withVariables("doctor"),
  doctorWithoutEvent: () => withVariables("doctor", "--skip-event"),
  schemasHelp: (verb: "check" | "push") => plain("schemas", verb, "--help"),
  schemas: (verb: "check" | "push", directory: string, lockFile?: string) =>
    withVariables("schemas", verb, directory, ...option("--lock", lockFile)),
  trace: (eventId: string) => withVariables("trace", eventId),
  resume: () => withVariables("resume"),
  reveal: (eventId: string) => withVariables("dead-letters", "show", eventId, "--reveal"),
  replayPlan: (eventId: string) => withVariables("dead-letters", "replay", eventId, "--dry-run"),
  replayResume: (replayId: string) => withVariables("dead-letters", "replay", "--resume", replayId),
  discard: (eventId: string, reason: string) => withVariables("dead-letters", "discard", eventId, "--reason", reason),
  build: () => script("build"),
  deployHelp: () => script("deploy", "--help"),
  wrangler: (...words: string[]) => script("wrangler", ...words),
} satisfies Record<string, (...values: never[]) => Suggestion>;

export type SuggestionName = keyof typeof SUGGESTIONS;
export type SuggestionValues<Name extends SuggestionName> = Parameters<(typeof SUGGESTIONS)[Name]>;

/**
 * Returns a command line that runs as printed, without `npm link`.
 *
 * @example suggest("init", "/srv/my api") // npx audit-forwarder init '/srv/my api'
 */
export type Suggest = <Name extends SuggestionName>(name: Name, ...values: SuggestionValues<Name>) => string;

const ROOT = resolve(fileURLToPath(new URL("../../", import.meta.url)));

/** Suggestions for a reader in `directory`. `secretsFile` is the file of variables that they named for this command. */
export function suggestFrom(directory: string, secretsFile?: string): Suggest {
  // Outside the clone, `npx` alone would download a package of somebody else.
  const prefix = directory === ROOT ? [] : ["--prefix", ROOT];
  const file = secretsFile === undefined ? [] : ["--secrets-file", resolve(directory, secretsFile)];
  return (name, ...values) => {
    const make: (...values: never[]) => Suggestion = SUGGESTIONS[name];
    const { program, words, readsVariables = false } = make(...(values as never[]));
    const line =
      program === "npm run"
        ? ["npm", ...prefix, "run", ...scriptWords(words)]
        : ["npx", ...prefix, program, ...words, ...(readsVariables ? file : [])];
    return line.map(quoted).join(" ");
  };
}

/** npm takes options before `--` for its own. */
function scriptWords([name = "", ...words]: readonly string[]): readonly string[] {
  return words.length === 0 ? [name] : [name, "--", ...words];
}

function plain(...words: readonly string[]): Suggestion {
  return { program: "audit-forwarder", words };
}

function withVariables(...words: readonly string[]): Suggestion {
  return { program: "audit-forwarder", words, readsVariables: true };
}

function script(...words: readonly string[]): Suggestion {
  return { program: "npm run", words };
}

function option(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [name, value];
}
