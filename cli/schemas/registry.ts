/** The actions that WorkOS has registered, each with its newest schema. */
import * as z from "zod";
import type { Workos } from "../workos/client.ts";
import { RegisteredSchema, type SchemaBody } from "./schema.ts";

const Page = z.looseObject({
  data: z.array(z.looseObject({ name: z.string(), schema: RegisteredSchema })),
  list_metadata: z.looseObject({ after: z.string().nullable().optional() }),
});

/** WorkOS's largest page. https://workos.com/docs/reference/pagination */
const PAGE_SIZE = "100";

/** Returns every action, across all pages. */
export async function registeredActions(workos: Workos): Promise<ReadonlyMap<string, RegisteredSchema>> {
  const actions = new Map<string, RegisteredSchema>();
  let after: string | null | undefined;
  do {
    const query = { limit: PAGE_SIZE, ...(after ? { after } : {}) };
    const page = Page.parse(await workos.get("/audit_logs/actions", query));
    for (const { name, schema } of page.data) actions.set(name, schema);
    after = page.list_metadata.after;
  } while (after);
  return actions;
}

/** Registers the next version of an action's schema, and creates a missing action; returns the new version. */
export async function registerSchema(workos: Workos, action: string, schema: SchemaBody): Promise<number> {
  const answer = await workos.post(`/audit_logs/actions/${encodeURIComponent(action)}/schemas`, schema);
  return z.looseObject({ version: z.int() }).parse(answer).version;
}
