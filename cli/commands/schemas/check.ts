/** `schemas check`: checks that the project's actions are registered in WorkOS as they will be sent. For CI. */
import { resolve } from "node:path";
import { command } from "../../run/command.ts";
import { LOCK_FILE } from "../../schemas/lock.ts";
import { surveyJson, surveyLines } from "../../schemas/lines.ts";
import { survey } from "../../schemas/survey.ts";
import { openWorkos } from "../../workos/client.ts";
import { schemaOptions } from "./options.ts";

export const check = command({
  usage: "check [zuplo-project]",
  about: "Compare the project's actions with WorkOS and the lock file; exit 1 on drift",
  examples: [["schemas check ./my-api", "for CI"]],
  options: (yargs) => schemaOptions(yargs),
  run: async (args, io) => {
    const found = await survey(openWorkos(io), args.zuploProject, args.lock, io.suggest);
    const { changes, unlocked } = found.comparison;
    const ok = found.derived.problems.length === 0 && changes.length === 0 && unlocked.length === 0;
    const lock = args.lock === LOCK_FILE ? undefined : resolve(args.lock);
    const push = io.suggest("schemas", "push", resolve(args.zuploProject), lock);
    const hint = ok ? [] : [`to register what is missing or changed, run: ${push}`];
    return { json: { ok, ...surveyJson(found) }, lines: [...surveyLines(found, io.paint), ...hint], ok };
  },
});
