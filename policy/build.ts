/** Builds what the policy ships: one self-contained TypeScript module that imports only `@zuplo/runtime`. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

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

/** The module's text: the bundled code, and below it the types and typed exports for users who write TypeScript. */
export async function policyText(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, "audit-log.ts")],
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    legalComments: "none",
    external: ["@zuplo/runtime"],
    write: false,
  });
  const code = outputFiles[0]?.text ?? "";
  const types = await readFile(join(HERE, "public-types.ts"), "utf8");
  return `${BANNER}${code.slice(0, code.lastIndexOf("export {"))}${types}${EXPORTS}`;
}

/** The bundle is not checked again by users' compilers, but its exports are typed. */
const BANNER = `// @ts-nocheck
// audit-forwarder (MIT). Do not edit: \`audit-forwarder init\` writes this file anew.
`;

const EXPORTS = `
import type { ZuploContext, ZuploRequest } from "@zuplo/runtime";

/** A policy of type \`custom-code-inbound\`. */
export type AuditLogPolicy = (
  request: ZuploRequest,
  context: ZuploContext,
  options: unknown,
  policyName: string,
) => Promise<ZuploRequest | Response>;

const typedPolicy: AuditLogPolicy = auditLog;
const typedCreate: (code?: AuditLogCode) => AuditLogPolicy = createAuditLog;
export { typedPolicy as auditLog, typedCreate as createAuditLog };
export default typedPolicy;
`;
