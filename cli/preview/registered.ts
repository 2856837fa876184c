/** The schemas that WorkOS has for an action, by version. */
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import type { Workos } from "../workos/client.ts";
import type { SchemasOf } from "./judge.ts";

const Page = z.looseObject({
  data: z.array(z.looseObject({ version: z.int() })),
  list_metadata: z.looseObject({ after: z.string().nullable().optional() }).optional(),
});

/** Reads each action once, across all pages. */
export function registeredSchemas(workos: Workos): SchemasOf {
  const known = new Map<string, ReturnType<SchemasOf>>();
  return (action) => {
    const found = known.get(action) ?? readSchemas(workos, action);
    known.set(action, found);
    return found;
  };
}

async function readSchemas(workos: Workos, action: string): ReturnType<SchemasOf> {
  const versions = new Map<number, unknown>();
  let after: string | null | undefined;
  try {
    do {
      const query = { limit: "100", ...(after ? { after } : {}) };
      const page = Page.parse(await workos.get(`/audit_logs/actions/${encodeURIComponent(action)}/schemas`, query));
      for (const schema of page.data) versions.set(schema.version, schema);
      after = page.list_metadata?.after;
    } while (after);
  } catch (error) {
    if (error instanceof AuditError && error.code === "not_found") return undefined;
    throw error;
  }
  return versions;
}
