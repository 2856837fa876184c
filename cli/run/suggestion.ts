/** Every command that a message suggests. All messages use this list, so that one test can run each command as printed. */
import { isAbsolute, relative, resolve } from "node:path";
import { IS_PACKAGE, ROOT } from "./installation.ts";
import { quoted } from "./shell.ts";

/** The program's name in help pages, for a reader in the clone or in a repository that installs the package. */
export const PROGRAM = "npx audit-forwarder";

interface Suggestion {
  readonly program: "audit-forwarder" | "npm run";
  readonly words: readonly string[];
  /** True if the command reads variables, and therefore the secrets file. */
  readonly readsVariables?: boolean;
  /** True for a script that the package lacks. */
  readonly needsClone?: boolean;
}

/** The commands by name. Paths must be absolute, so that a command works from any directory. */
const SUGGESTIONS = {
  help: (words: readonly string[] = []) => plain(...words, "--help"),
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
  dev: () => inClone("dev"),
  build: () => inClone("build"),
  deployDryRun: () => script("deploy", "--dry-run"),
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

/** Suggestions for a reader in `directory`. `secretsFile` is the file of variables named for this command. */
export function suggestFrom(directory: string, secretsFile?: string): Suggest {
  // Outside the clone, or a repository that installs the package, plain `npx` would download a foreign package.
  const home = IS_PACKAGE ? installedIn(ROOT) : ROOT;
  const prefix = isInside(directory, home) ? [] : ["--prefix", home];
  const file = secretsFile === undefined ? [] : ["--secrets-file", resolve(directory, secretsFile)];
  return (name, ...values) => {
    const make: (...values: never[]) => Suggestion = SUGGESTIONS[name];
    const { program, words, readsVariables = false, needsClone = false } = make(...(values as never[]));
    const line =
      program === "npm run" && (needsClone || !IS_PACKAGE)
        ? ["npm", ...(needsClone && IS_PACKAGE ? [] : prefix), "run", ...scriptWords(words)]
        : ["npx", ...prefix, "audit-forwarder", ...words, ...(readsVariables ? file : [])];
    return line.map(quoted).join(" ");
  };
}

/** The folder whose `node_modules` holds the package. */
function installedIn(root: string): string {
  const [folder = root] = root.split(/[\\/]node_modules[\\/]/, 1);
  return folder;
}

/** `npx` finds the package from each folder of the repository that installs it, but in a clone only from its root. */
function isInside(directory: string, home: string): boolean {
  if (directory === home) return true;
  return IS_PACKAGE && !relative(home, directory).startsWith("..") && !isAbsolute(relative(home, directory));
}

/** npm treats options before `--` as its own. */
function scriptWords([name = "", ...words]: readonly string[]): readonly string[] {
  return words.length === 0 ? [name] : [name, "--", ...words];
}

function plain(...words: readonly string[]): Suggestion {
  return { program: "audit-forwarder", words };
}

function withVariables(...words: readonly string[]): Suggestion {
  return { program: "audit-forwarder", words, readsVariables: true };
}

function inClone(name: string): Suggestion {
  return { program: "npm run", words: [name], needsClone: true };
}

function script(...words: readonly string[]): Suggestion {
  return { program: "npm run", words };
}

function option(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [name, value];
}
