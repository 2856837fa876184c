/** `schemas push`: registers missing or changed schemas, and writes the lock file. Never deletes anything. */
import { AuditError } from "../../../shared/errors.ts";
import { command, type Report } from "../../run/command.ts";
import { confirm } from "../../run/confirmation.ts";
import { failureOf, WrongUse } from "../../run/failure.ts";
import type { Io } from "../../run/io.ts";
import { count } from "../../run/text.ts";
import type { SchemaChange } from "../../schemas/comparison.ts";
import { surveyJson, surveyLines } from "../../schemas/lines.ts";
import { writeLock } from "../../schemas/lock.ts";
import { registerSchema } from "../../schemas/registry.ts";
import { schemaBody } from "../../schemas/schema.ts";
import { type Survey, survey } from "../../schemas/survey.ts";
import { openWorkos, type Workos } from "../../workos/client.ts";
import { schemaOptions } from "./options.ts";

export const push = command({
  usage: "push [zuplo-project]",
  about: "Register missing or changed schemas in WorkOS, and write the lock file",
  examples: [["schemas push ./my-api", "then commit audit-schemas.lock.json and deploy the worker"]],
  options: (yargs) =>
    schemaOptions(yargs)
      .option("dry-run", { type: "boolean", describe: "Show the changes and stop" })
      .option("yes", { alias: "y", type: "boolean", describe: "Do not ask for confirmation" })
      .conflicts("dry-run", "yes"),
  run: async (args, io) => {
    const workos = openWorkos(io);
    const found = await survey(workos, args.zuploProject, args.lock, io.suggest);
    const lines = surveyLines(found, io.paint);
    if (args.dryRun) return { json: { dry_run: true, ...surveyJson(found) }, lines };
    const { problems } = found.derived;
    if (problems.length > 0)
      throw new AuditError("invalid_option", `nothing was registered; first mend: ${problems.join("; ")}`);
    const { changes } = found.comparison;
    if (changes.length > 0 && io.interactive && !args.yes) {
      for (const line of lines) io.note(line);
      await confirm(`Register ${count(changes.length, "schema")}? A version cannot be deleted.`);
    }
    return register(workos, found, args.lock, io);
  },
});

interface Failed {
  readonly action: string;
  readonly code: string;
  readonly message: string;
}

/** One refusal does not stop the others; the lock file holds what is registered, whatever happens later. */
async function register(workos: Workos, found: Survey, lockFile: string, io: Io): Promise<Report> {
  const { changes, current, unlocked } = found.comparison;
  const versions = new Map(current);
  const failed: Failed[] = [];
  for (const change of changes) {
    const result = await registerOne(workos, change);
    if (typeof result === "number") {
      versions.set(change.action, result);
      io.note(`registered ${change.action} version ${result}`);
    } else {
      failed.push(result);
      io.note(`error[${result.code}]: ${change.action}: ${result.message}`);
    }
  }
  const registered = changes.length - failed.length;
  const writes = registered > 0 || unlocked.length > 0;
  if (writes) await writeLock(lockFile, { ...found.lock, ...Object.fromEntries(versions) });
  return {
    json: {
      registered,
      failed,
      lock_written: writes,
      unused: found.comparison.unused,
      versions: Object.fromEntries(versions),
    },
    lines: [
      `registered ${count(registered, "schema")}${failed.length > 0 ? `, ${failed.length} refused` : ""}`,
      ...(writes ? ["wrote the lock file: commit it and deploy the worker"] : ["the lock file is unchanged"]),
    ],
    ok: failed.length === 0,
  };
}

async function registerOne(workos: Workos, { action, schema }: SchemaChange): Promise<number | Failed> {
  try {
    return await registerSchema(workos, action, schemaBody(schema));
  } catch (error) {
    if (error instanceof WrongUse) throw error;
    const { code, message } = failureOf(error);
    return { action, code, message };
  }
}
