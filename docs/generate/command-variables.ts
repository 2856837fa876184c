/** The variables that the commands read; a test compares them with the sources. */
import { code, table } from "./markdown.ts";

export const COMMAND_VARIABLES: Readonly<Record<string, string>> = {
  AUDIT_WORKER_URL: "which deployment to speak to",
  AUDIT_ADMIN_TOKEN: "opens the admin routes of that worker",
  WORKOS_API_KEY: "`schemas` and `doctor`: the WorkOS environment",
  WORKOS_BASE_URL: "where WorkOS's API is; default the real one",
  AUDIT_PSEUDONYM_KEYS: "`pseudonym`: the keys, as the gateway has them",
  TERM: "`dumb`: no colours and no progress bar",
  WRANGLER: "`deploy` and `doctor`: another wrangler than the pinned one",
};

export function commandVariables(): string {
  const rows = Object.entries(COMMAND_VARIABLES).map(([name, meaning]) => [code(name), meaning]);
  return `## Variables of the commands

${table(["variable", "meaning"], rows)}

\`doctor\` also reads the [worker's variables](#variables-of-the-worker). Every command reads variables from the environment, and those that
are not set there from the file of \`--secrets-file\`. \`NO_COLOR\` turns colours off. Every command has \`--help\` and \`--json\`, and exits with
0 (done), 1 (failed) or 2 (wrong use).`;
}
