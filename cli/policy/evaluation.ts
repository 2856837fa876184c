/**
 * Evaluates the policy's own code in a separate process, because the CLI imports nothing from the policy: the module that it ships,
 * and how it reads a project's options and `x-audit`.
 */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import type { BuiltModule } from "../init/module.ts";
import { builtFile, IS_PACKAGE, ROOT } from "../run/installation.ts";
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

/**
 * Returns the module that `init` writes into a project, built from the current sources, and the fingerprint of the project's
 * module. Throws `unavailable`.
 */
export async function builtModule(present?: string): Promise<BuiltModule> {
  const text = await moduleText();
  if (present === undefined) return { text };
  // Only a text that is not TypeScript has no fingerprint; esbuild without its own binary is an error.
  const fingerprint = "code.fingerprintOf(given.present).catch((e) => { if (!e.errors) throw e; return null; })";
  const found = z
    .string()
    .nullable()
    .parse(await evaluate("policy/fingerprint.ts", fingerprint, { present }));
  return found === null ? { text } : { text, present: found };
}

async function moduleText(): Promise<string> {
  if (IS_PACKAGE) return readFile(builtFile("policy/audit-log.ts"), "utf8");
  return z.string().parse(await evaluate("policy/build-cache.ts", "code.cachedPolicyText()", {}));
}

/** Returns what the policy would log at its start; routes keep their order. Throws `unavailable`. */
export async function inspectProject(project: ToInspect): Promise<Inspection> {
  return Inspection.parse(await evaluate("policy/inspection.ts", "code.inspect(given)", project));
}

/** Evaluates an expression over `code` (the exports of one of our files) and `given` in a separate process. Throws `unavailable`. */
export async function evaluate(file: string, expression: string, given: unknown): Promise<unknown> {
  const script = [
    'import { json } from "node:stream/consumers";',
    `import * as code from ${JSON.stringify(pathToFileURL(codeFile(file)).href)};`,
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
    const fix = IS_PACKAGE
      ? "install the package again, with its optional packages"
      : `to see why, run: ${suggestFrom(process.cwd())("build")}`;
    throw new AuditError("unavailable", `the policy's code does not run; ${fix}`, { cause });
  }
}

/** The package contains each of these files together with its imports. */
function codeFile(file: string): string {
  return IS_PACKAGE ? builtFile(file.replace(/\.ts$/, ".mjs")) : join(ROOT, file);
}
