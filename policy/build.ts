/** Builds the policy that ships: one readable TypeScript module that imports only `@zuplo/runtime`. */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import { format } from "prettier";
import { rolldown } from "rolldown";
import { POLICY_VERSION } from "./version.ts";

const HERE = fileURLToPath(new URL("./", import.meta.url));

/** Where `npm run build` puts the policy. */
export const POLICY_DIST = fileURLToPath(new URL("../dist/policy/", import.meta.url));
/** Zuplo resolves `$import(./modules/audit-log)` to a `.ts` file only (measured with 7.4.5). */
export const POLICY_FILE = "audit-log.ts";

export interface BuiltPolicy {
  readonly path: string;
  /** Size of the file, comments included. */
  readonly bytes: number;
  /** Size after minifying and gzip, which is about what a gateway loads. */
  readonly gzipBytes: number;
}

/** Writes `audit-log.ts` into a folder, by default `dist/policy`. */
export async function buildPolicy(folder: string = POLICY_DIST): Promise<BuiltPolicy> {
  const text = await policyText();
  await mkdir(folder, { recursive: true });
  const path = join(folder, POLICY_FILE);
  await writeFile(path, text);
  return { path, bytes: Buffer.byteLength(text), gzipBytes: await gzipBytesOf(text) };
}

/** Bytes of a module's text after minifying and gzip. */
export async function gzipBytesOf(text: string): Promise<number> {
  const { code } = await transform(text, { loader: "ts", minify: true });
  return gzipSync(code).byteLength;
}

/**
 * SHA-256, in hexadecimal, of a module's code without comments, types and formatting. Two texts with the same fingerprint run the
 * same; the text of the built module names its own. Rejects where the text is not TypeScript.
 */
export async function fingerprintOf(text: string): Promise<string> {
  const { code } = await transform(text, { loader: "ts", minifyWhitespace: true, minifySyntax: true });
  return createHash("sha256").update(code).digest("hex");
}

/**
 * The module's text: the bundled code in one function, then the types for users who write TypeScript. The function makes the code
 * one statement, so that one `prettier-ignore` covers all of it.
 */
export async function policyText(): Promise<string> {
  const [code, types] = await Promise.all([bundledCode(), readFile(join(HERE, "public-types.ts"), "utf8")]);
  const exported = /^export \{ auditLog, createAuditLog \};\s*$/m.exec(code);
  if (!exported) throw new Error("the bundle does not end with the expected exports");
  const [imports = "", ...lines] = code.slice(0, exported.index).split("\n");
  const [typeImports = "", ...typeLines] = types.slice(types.indexOf("import type")).split("\n");
  const start = [typeImports, imports, "function policyModule() {"];
  const module = [...start, ...lines, "return { auditLog, createAuditLog }; }", EXPORTS, ...typeLines].join("\n");
  const text = marked(await format(module, { parser: "typescript", printWidth: 120 }));
  return `${banner(await fingerprintOf(text))}\n${text}`;
}

const EXPORTS = `
/** \`auditLog\` is the policy; \`createAuditLog\` makes one with your own code. */
export const { auditLog, createAuditLog }: {
  auditLog: AuditLogPolicy;
  createAuditLog: (code?: AuditLogCode) => AuditLogPolicy;
} = policyModule();
export default auditLog;
`;

/** The formatted text with a mark before each statement that keeps formatters away, and what the bundler changed put right. */
function marked(text: string): string {
  return (
    text
      // Prettier prints the last semicolon of a statement by its own options even if it ignores the statement.
      .replaceAll(/^(\S.*);$/gm, "$1")
      .replaceAll(/^(?=import |export |function )/gm, "// prettier-ignore\n")
      .replaceAll(DISGUISED_COMMENT, "// $1")
      .replaceAll(/\n+ {2}\/\/ ((?:policy|shared)\/\S+)$/gm, "\n\n  // ---- $1 ----\n")
      .replaceAll("/* @__PURE__ */ ", "")
      .replaceAll(/\bvoid 0\b/g, "undefined")
  );
}

/** The sources as one module without types. Comments stay: the bundler keeps only JSDoc, so line comments pass as such. */
async function bundledCode(): Promise<string> {
  const bundle = await rolldown({
    input: join(HERE, "audit-log.ts"),
    // The names of the sections are relative to it.
    cwd: join(HERE, ".."),
    external: ["@zuplo/runtime"],
    platform: "neutral",
    optimization: { inlineConst: false },
    plugins: [{ name: "comments", transform: (code) => code.replaceAll(/^( *)\/\/ (.*)$/gm, "$1/** // $2 */") }],
  });
  const { output } = await bundle.generate({
    format: "esm",
    minify: false,
    comments: { jsdoc: true, legal: true, annotation: false },
  });
  await bundle.close();
  return output[0].code;
}

const DISGUISED_COMMENT = /\/\*\* \/\/ (.*) \*\//g;

/** The first lines hold the marks by which formatters, linters, compilers and `init` know the module. */
function banner(fingerprint: string): string {
  return `/* eslint-disable */
// @ts-nocheck
// biome-ignore-all lint: made by audit-forwarder
// biome-ignore-all format: made by audit-forwarder
/**
 * audit-forwarder policy ${POLICY_VERSION} (MIT License)
 * fingerprint: sha256:${fingerprint}
 *
 * Made by \`audit-forwarder init\`. Do not edit this file: run \`init\` again to update it. The fingerprint covers the code
 * without comments, types and formatting; \`audit-forwarder init --check\` compares it.
 *
 * This policy records each audited API request and sends the record to WorkOS Audit Logs by way of QStash. It changes neither
 * the request nor the response. A section below is one source file, and "policy/policy.ts" is where a request enters.
 *
 * The policy sends two kinds of requests, both made in "policy/paths.ts":
 *
 *   POST $QSTASH_URL/v2/publish/$AUDIT_WORKER_URL/deliver   with QSTASH_TOKEN as bearer token
 *   POST $AUDIT_WORKER_URL/ingest                           if QStash fails; signed with AUDIT_INGEST_KEY
 *
 * A record holds what "shared/record.ts" lists: who called which route, when, from where, and how it ended. Parts of a body, the
 * query and headers are in it only if \`x-audit\` selects them; user agent, request ID and trace context are in it unless \`omit\`
 * names them. "policy/secrets.ts" removes known secrets, and "policy/privacy.ts" replaces values with pseudonyms.
 *
 * The policy reads no variables except those that its options name with $env(...), and ZUPLO_ENVIRONMENT_NAME,
 * ZUPLO_ENVIRONMENT_STAGE and ZUPLO_BUILD_ID. It stores nothing and has no dependencies.
 */
`;
}
