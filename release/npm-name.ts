/** Refuses to publish under a name on npm that belongs to somebody else, or to nobody yet. */
import { spawnSync } from "node:child_process";

/** How `npm view <name> repository.url --json` ended. */
interface View {
  readonly exitCode: number;
  readonly stdout: string;
}

/** Returns what is wrong with a name for a repository such as `https://github.com/owner/name`; undefined if nothing is. Pure. */
export function nameProblem(name: string, repository: string, { exitCode, stdout }: View): string | undefined {
  if (stdout.includes('"E404"')) {
    return `error[name_not_registered]: nobody holds "${name}" on npm; publish its first version by hand, then make this workflow its trusted publisher`;
  }
  if (exitCode !== 0) return `error[unavailable]: npm does not say who holds "${name}"; run the job again`;
  const held = stdout.trim().replaceAll('"', "");
  if (repositoryOf(held) === repositoryOf(repository)) return undefined;
  const holder = held === "" ? "a package without a repository" : held;
  return `error[name_taken]: "${name}" on npm belongs to ${holder}; set the variable "NPM_PACKAGE" to a name that you hold`;
}

function repositoryOf(url: string): string {
  return url
    .replace(/^git\+/, "")
    .replace(/(?:\.git)?\/?$/, "")
    .toLowerCase();
}

if (import.meta.main) {
  const [name = "", repository = ""] = process.argv.slice(2);
  const { status, stdout } = spawnSync("npm", ["view", name, "repository.url", "--json"], { encoding: "utf8" });
  const problem = nameProblem(name, repository, { exitCode: status ?? 1, stdout });
  if (problem !== undefined) {
    console.error(problem);
    process.exitCode = 1;
  }
}
