/** The optional KV namespace with organizations and names, bound to the worker as `DIRECTORY`. */
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import { jsonIn, mustRun, type Wrangler } from "./wrangler.ts";

const Namespaces = z.array(z.object({ id: z.string(), title: z.string() }));

/** Title of an environment's namespace; wrangler prefixes the given name with the environment. */
export function directoryTitle(environment: string): string {
  return `${environment}-audit-forwarder-directory`;
}

/** Finds or creates the environment's namespace and binds it in `wrangler.toml`; returns its id. */
export async function bindDirectory(wrangler: Wrangler, root: string, environment: string): Promise<string> {
  const id = (await findNamespace(wrangler, environment)) ?? (await createNamespace(wrangler, environment));
  const binding = `\n[[env.${environment}.kv_namespaces]]\nbinding = "DIRECTORY"\nid = "${id}"\n`;
  await appendFile(join(root, "wrangler.toml"), binding);
  return id;
}

async function findNamespace(wrangler: Wrangler, environment: string): Promise<string | undefined> {
  const listed = Namespaces.parse(jsonIn(await mustRun(wrangler, ["kv", "namespace", "list"])));
  return listed.find(({ title }) => title === directoryTitle(environment))?.id;
}

async function createNamespace(wrangler: Wrangler, environment: string): Promise<string> {
  await mustRun(wrangler, ["kv", "namespace", "create", "audit-forwarder-directory", "--env", environment]);
  // Lists again, because the output of `create` is meant for people.
  const id = await findNamespace(wrangler, environment);
  if (id === undefined)
    throw new AuditError(
      "internal",
      `the new namespace "${directoryTitle(environment)}" is not listed; run the command again`,
    );
  return id;
}
