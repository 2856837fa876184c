/** Collects everything that `schemas check` and `schemas push` compare. */
import { resolve } from "node:path";
import { AuditError } from "../../shared/errors.ts";
import { placeEntry } from "../init/entry.ts";
import { readPolicies } from "../init/policies.ts";
import { readProject } from "../init/project.ts";
import { readRoutes } from "../init/routes.ts";
import { inspectRoutes } from "../policy/inspection.ts";
import type { Suggest } from "../run/suggestion.ts";
import type { Workos } from "../workos/client.ts";
import { type SchemaComparison, compareSchemas } from "./comparison.ts";
import { type DerivedSchemas, deriveSchemas } from "./derived-schemas.ts";
import { type Lock, readLock } from "./lock.ts";
import { registeredActions } from "./registry.ts";

export interface Survey {
  readonly derived: DerivedSchemas;
  readonly comparison: SchemaComparison;
  readonly lock: Lock;
}

/** What the project's routes need. Throws `not_found` if the project has no audit policy. */
async function deriveFromProject(directory: string, suggest: Suggest): Promise<DerivedSchemas> {
  const project = await readProject(resolve(directory));
  const policies = readPolicies(project);
  const { options } = placeEntry(project.policies, project.module);
  if (!options)
    throw new AuditError(
      "not_found",
      `the project has no policy "audit-log"; run: ${suggest("init", project.directory)}`,
    );
  const routes = project.openApi.flatMap((file) => readRoutes(file, policies));
  return deriveSchemas(routes, await inspectRoutes(options, routes, project.env));
}

/** Derives the schemas, reads the lock file and the whole registry, and compares them. */
export async function survey(workos: Workos, directory: string, lockFile: string, suggest: Suggest): Promise<Survey> {
  const [derived, lock] = await Promise.all([deriveFromProject(directory, suggest), readLock(lockFile)]);
  return { derived, lock, comparison: compareSchemas(derived, await registeredActions(workos), lock) };
}
