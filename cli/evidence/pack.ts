/** The auditor's pack: everything about one organization and one period that an auditor needs, in one file. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { textOf, verifyEvidence, type VerifyResult } from "../../verifier/verify.mjs";
import { WrongUse } from "../run/failure.ts";
import type { Workos } from "../workos/client.ts";
import { downloadExport } from "../workos/exports.ts";
import { KEY_FILE } from "./key-file.ts";
import { pull } from "./pull.ts";
import { packReport } from "./report.ts";
import type { EvidenceFile } from "./server.ts";
import { writeZip } from "./zip.ts";

interface PackOptions {
  readonly organization: string;
  /** ISO 8601. */
  readonly since: string;
  readonly until: string;
  /** The file of the verifier keys. */
  readonly key: string;
  /** `audit-coverage.json` of the gateway's project; undefined if it is not at hand. */
  readonly coverage: string | undefined;
  /** The zip file to write. */
  readonly out: string;
}

interface PackPorts {
  readonly file: EvidenceFile;
  readonly workos: Workos;
  /** Dead letters of the organization in the period, and what operators did, as JSON lines. */
  readonly deadLetters: () => Promise<readonly string[]>;
  readonly operators: () => Promise<readonly string[]>;
  /** The text of the stand-alone verifier. */
  readonly verifier: string;
}

/** Writes the pack and returns the verifier's result. Throws `WrongUse` without a key file, else as its ports do. */
export async function writePack(ports: PackPorts, options: PackOptions): Promise<VerifyResult> {
  const { organization, since, until, key, coverage, out } = options;
  if (!existsSync(key)) throw new WrongUse(`"${key}" is not here; name the file of the verifier key with "--key"`);
  const folder = await mkdtemp(join(tmpdir(), "audit-forwarder-pack-"));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  try {
    await pull(ports.file, folder, { since, organization });
    await downloadExport(ports.workos, { organization, since, until }, join(folder, "export.csv"));
    await write(KEY_FILE, await readFile(key, "utf8"));
    await write("coverage.json", coverage === undefined ? "{}\n" : await readFile(coverage, "utf8"));
    await write("dead-letters.jsonl", linesOf(await ports.deadLetters()));
    await write("operators.jsonl", linesOf(await ports.operators()));
    await write("verify.mjs", ports.verifier);
    const span = { since: Date.parse(since), until: Date.parse(until) };
    const exports = [join(folder, "export.csv")];
    const result = await verifyEvidence({ evidence: folder, key, exports, organization, ...span });
    await write(
      "report.md",
      packReport(textOf({ ...result, exports: ["export.csv"] }), options, coverage !== undefined),
    );
    await write("pack.json", await manifestOf(folder, options, result));
    await writeZip(
      folder,
      ["pack.json", ...(await namesIn(folder)).filter((name) => name !== "pack.json")],
      `${out}.part`,
    );
    await rename(`${out}.part`, out);
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(`${out}.part`, { force: true });
  }
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .toSorted();
}

async function manifestOf(
  folder: string,
  { organization, since, until }: PackOptions,
  { checkpoint }: VerifyResult,
): Promise<string> {
  const files = [];
  for (const path of await namesIn(folder)) files.push({ path, sha256: await hashOf(join(folder, path)) });
  return `${JSON.stringify({ v: 1, organization, period: { since, until }, checkpoint, files }, null, 2)}\n`;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
