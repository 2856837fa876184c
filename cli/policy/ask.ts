/**
 * Asks the policy's own code, in a process of its own because the CLI imports nothing of the policy: what it ships, and what a
 * project's options and `x-audit` mean to it.
 */
import { spawn } from "node:child_process";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import type { BuiltModule } from "../init/module.ts";
import { suggestFrom } from "../run/suggestion.ts";

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
export type InspectedRoute = z.infer<typeof InspectedRoute>;

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

/**
 * Returns the module that `init` writes into a project, as the current sources build it, beside the fingerprint of the module
 * that the project has. Throws `unavailable`.
 */
export async function builtModule(present?: string): Promise<BuiltModule> {
  const text = z.string().parse(await evaluate("policy/build-cache.ts", "code.cachedPolicyText()", {}));
  if (present === undefined) return { text };
  const fingerprint = "code.fingerprintOf(given.present).catch(() => null)";
  const found = z
    .string()
    .nullable()
    .parse(await evaluate("policy/fingerprint.ts", fingerprint, { present }));
  return found === null ? { text } : { text, present: found };
}

/** What the policy would say at its start; routes in the order given. Throws `unavailable`. */
export async function inspectProject(project: ToInspect): Promise<Inspection> {
  return Inspection.parse(await evaluate("policy/inspect.ts", "code.inspect(given)", project));
}

/** Evaluates an expression over `code`, the exports of a file of ours, and `given`, in a process of its own. Throws `unavailable`. */
export async function evaluate(file: string, expression: string, given: unknown): Promise<unknown> {
  const script = [
    'import { json } from "node:stream/consumers";',
    `import * as code from ${JSON.stringify(new URL(`../../${file}`, import.meta.url).href)};`,
    "const given = await json(process.stdin);",
    `process.stdout.write(JSON.stringify(await (${expression})));`,
  ].join("\n");
  const stdio = ["pipe", "pipe", "ignore"] as const;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT, stdio: [...stdio] });
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify(given));
  try {
    return await json(child.stdout);
  } catch (cause) {
    const build = suggestFrom(process.cwd())("build");
    throw new AuditError("unavailable", `the policy could not be built; to see why, run: ${build}`, { cause });
  }
}
