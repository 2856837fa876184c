/** Builds what the policy ships: one self-contained TypeScript module that imports only `@zuplo/runtime`. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { minify } from "terser";

const HERE = fileURLToPath(new URL("./", import.meta.url));

/** Where `npm run build` puts the policy. */
export const POLICY_DIST = fileURLToPath(new URL("../dist/policy/", import.meta.url));
/** Zuplo resolves `$import(./modules/audit-log)` to a `.ts` file only (measured with 7.4.5). */
export const POLICY_FILE = "audit-log.ts";

export interface BuiltPolicy {
  readonly path: string;
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** Writes `audit-log.ts` into a folder, by default `dist/policy`. */
export async function buildPolicy(folder: string = POLICY_DIST): Promise<BuiltPolicy> {
  const text = await policyText();
  await mkdir(folder, { recursive: true });
  const path = join(folder, POLICY_FILE);
  await writeFile(path, text);
  return { path, bytes: Buffer.byteLength(text), gzipBytes: gzipSync(text).byteLength };
}

/**
 * The module's text: the bundled code, and below it the types for users who write TypeScript. Rolldown and terser after it,
 * because their output is 4 % smaller than esbuild's after gzip.
 */
export async function policyText(): Promise<string> {
  const bundle = await rolldown({
    input: join(HERE, "audit-log.ts"),
    external: ["@zuplo/runtime"],
    platform: "neutral",
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  const { code = "" } = await minify(output[0].code, {
    module: true,
    ecma: 2020,
    compress: {
      passes: 3,
      ecma: 2020,
      hoist_funs: true,
      unsafe_arrows: true,
      // Statements repeat themselves, and so are smaller than expressions after gzip.
      sequences: false,
      if_return: false,
      comparisons: false,
      conditionals: false,
      lhs_constants: false,
    },
    mangle: { properties: { regex: INTERNAL } },
  });
  const exported = /export\{([\w$]+) as auditLog,([\w$]+) as createAuditLog\};?\s*$/.exec(code);
  if (!exported) throw new Error("the bundle does not end with the exports that are expected");
  const types = await readFile(join(HERE, "public-types.ts"), "utf8");
  return [BANNER, code.slice(0, exported.index), shortened(types), exportsOf(exported[1], exported[2])].join("\n");
}

/** Types without their comments: those stand in the reference. */
function shortened(types: string): string {
  return types
    .replaceAll(/\/\*\*[^]*?\*\//g, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ?([;:,{}()|=>]) ?/g, "$1")
    .replaceAll("export ", "\nexport ")
    .trim();
}

/** Names of fields that nobody outside the module sees, and that are never written as texts: they become short. */
const INTERNAL =
  /^(again|allows|circuit|closedAgainAtMs|cuts|deduplicationId|delaySeconds|durationMs|endedMs|field|gateway|hider|hmac|instance|isolate|isolateId|made|make|maker|mayAsk|mint|nowMs|occurredAtMs|opensAtMs|origins|parentId|plain|plan|planOf|policyVersion|post|problem|problems|proceed|rewrite|secret|sequence|sha256|shares|ship|shipper|sound|spill|stage|startedMs|statusSource|takenUntilMs|timer|truncated|usable|whole)$/;

const BANNER = `// @ts-nocheck
// Made by \`audit-forwarder init\` (MIT); do not edit.`;

/** The bundle is not checked again by users' compilers, but its exports are typed. */
function exportsOf(auditLog: string | undefined, createAuditLog: string | undefined): string {
  return `export const auditLog:AuditLogPolicy=${auditLog},createAuditLog:(code?:AuditLogCode)=>AuditLogPolicy=${createAuditLog};
export default auditLog;
`;
}
