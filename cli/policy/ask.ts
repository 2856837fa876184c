/**
 * Asks the policy's own code, in a process of its own because the CLI imports nothing of the policy: what it ships, and what a
 * project's options and `x-audit` mean to it.
 */
import { spawn } from "node:child_process";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";

const Types = z.record(z.string(), z.enum(["string", "number", "boolean", "any"]));
export type MetadataTypes = z.infer<typeof Types>;

const InspectedEvent = z.object({
  actions: z.array(z.string()),
  actionIsSelected: z.boolean(),
  targets: z.array(z.object({ type: z.string().optional(), metadata: Types })),
  actorMetadata: Types,
  metadata: Types,
});
export type InspectedEvent = z.infer<typeof InspectedEvent>;

const InspectedRoute = z.object({
  skip: z.boolean(),
  reason: z.string().optional(),
  caseSkips: z.array(z.union([z.string(), z.literal(true)])),
  preset: z.string().optional(),
  problems: z.array(z.string()),
  warnings: z.array(z.string()),
  events: z.array(InspectedEvent),
});
type InspectedRoute = z.infer<typeof InspectedRoute>;

const Inspection = z.object({ optionProblems: z.array(z.string()), routes: z.array(InspectedRoute) });
export type Inspection = z.infer<typeof Inspection>;

export interface ToInspect {
  readonly options: unknown;
  readonly routes: readonly {
    readonly path: string;
    readonly methods: readonly string[];
    readonly operationId?: unknown;
    readonly xAudit?: unknown;
    readonly handler?: unknown;
  }[];
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Returns the module that `init` puts into a project, as the current sources build it. Throws `unavailable`. */
export async function builtModule(): Promise<string> {
  return z.string().parse(await runPolicy("build-cache.ts", "cachedPolicyText()"));
}

/** What the policy would say at its start; routes in the order given. Throws `unavailable`. */
export async function inspectProject(project: ToInspect): Promise<Inspection> {
  return Inspection.parse(await runPolicy("inspect.ts", "inspect(given)", project));
}

async function runPolicy(file: string, call: string, given: unknown = {}): Promise<unknown> {
  const name = call.slice(0, call.indexOf("("));
  const script = [
    'import { json } from "node:stream/consumers";',
    `import { ${name} } from ${JSON.stringify(new URL(`../../policy/${file}`, import.meta.url).href)};`,
    "const given = await json(process.stdin);",
    `process.stdout.write(JSON.stringify(await ${call}));`,
  ].join("\n");
  const stdio = ["pipe", "pipe", "ignore"] as const;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT, stdio: [...stdio] });
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify(given));
  try {
    return await json(child.stdout);
  } catch (cause) {
    throw new AuditError("unavailable", 'the policy could not be built; run "npm run build" to see why', { cause });
  }
}
