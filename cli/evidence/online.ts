/** Compares WorkOS's events with the evidence, for a period. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type VerifyResult, verifyEvidence } from "../../verifier/verify.mjs";
import type { Api } from "../api/client.ts";
import { EventFate } from "../api/events.ts";
import { AuditError } from "../../shared/errors.ts";
import { WrongUse } from "../run/failure.ts";
import type { Workos } from "../workos/client.ts";
import { downloadExport } from "../workos/exports.ts";
import { pull } from "./pull.ts";
import type { EvidenceFile } from "./server.ts";

/** "Events from the past three months can be included." https://workos.com/docs/audit-logs/exporting-events */
const REACH_MS = 92 * 86_400_000;
/** Most unexpected events that are looked up at the worker. Our choice. */
const MOST_LOOKUPS = 500;

interface OnlinePorts {
  readonly file: EvidenceFile;
  readonly workos: Workos;
  readonly api: Api;
  readonly nowMs: number;
}

export interface OnlineComparison {
  readonly result: VerifyResult;
  /** Events that were delivered after the last digest; the next one holds them. */
  readonly unsealed: readonly string[];
}

/**
 * Exports each organization of the evidence for the period, and compares. Without a key file, the checkpoint's signature is not
 * checked and the grade is `chained`. Throws `WrongUse` for a period that WorkOS no longer exports.
 */
export async function compareOnline(
  { file, workos, api, nowMs }: OnlinePorts,
  { since, until }: { readonly since: string; readonly until: string },
  key: string | undefined,
): Promise<OnlineComparison> {
  if (Date.parse(since) < nowMs - REACH_MS)
    throw new WrongUse('"--since" is too early: WorkOS exports the last three months only');
  const folder = await mkdtemp(join(tmpdir(), "audit-forwarder-verify-"));
  try {
    const evidence = join(folder, "evidence");
    const { digests } = await pull(file, evidence, { since });
    const organizations = [...new Set(digests.flatMap((digest) => digest.organizations.map(({ id }) => id)))];
    const exports: string[] = [];
    for (const organization of organizations) {
      const path = join(folder, `export-${exports.length}.csv`);
      await downloadExport(workos, { organization, since, until }, path);
      exports.push(path);
    }
    const span = { since: Date.parse(since), until: Date.parse(until) };
    const result = await verifyWithCopies({ evidence, key, exports, ...span }, () =>
      pull(file, evidence, { since, copies: true }),
    );
    return await withoutUnsealed(result, api, digests.at(-1)?.until ?? since);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Fetches the copies, which name the fields that differ, only if something differs; a worker that keeps none has none. */
async function verifyWithCopies(
  input: Parameters<typeof verifyEvidence>[0],
  pullCopies: () => Promise<unknown>,
): Promise<VerifyResult> {
  const result = await verifyEvidence(input);
  if (result.altered.length + result.uncompared === 0) return result;
  await pullCopies();
  return verifyEvidence(input);
}

/** An event that was delivered after the last digest is in no digest yet. */
async function withoutUnsealed(result: VerifyResult, api: Api, sealedUntil: string): Promise<OnlineComparison> {
  const unsealed = new Set<string>();
  for (const id of result.unexpected.slice(0, MOST_LOOKUPS)) {
    const { state, attempts } = await fateOf(api, id);
    const delivered = attempts.findLast(({ outcome }) => outcome === "delivered")?.at;
    if (state === "delivered" && delivered !== undefined && delivered >= sealedUntil) unsealed.add(id);
  }
  const unexpected = result.unexpected.filter((id) => !unsealed.has(id));
  const isClean = result.missing.length + result.altered.length + unexpected.length === 0;
  const ok = result.chain === "ok" && isClean;
  return {
    result: { ...result, unexpected, ok, exports: [`WorkOS (${result.exports.length})`] },
    unsealed: [...unsealed],
  };
}

async function fateOf(api: Api, id: string): Promise<Pick<EventFate, "state" | "attempts">> {
  try {
    return await api.get(EventFate, `/api/events/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof AuditError && error.code === "not_found") return { state: "unknown", attempts: [] };
    throw error;
  }
}
