/** Exports of the audit log: the only way to read events back. https://workos.com/docs/reference/audit-logs/export */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import type { Workos } from "./client.ts";

interface ExportRange {
  readonly organization: string;
  /** ISO 8601. WorkOS exports the last three months. */
  readonly since: string;
  readonly until: string;
}

const Export = z.looseObject({ id: z.string(), state: z.string(), url: z.string().nullish() });

const POLL_MS = 500;
/** A large export takes minutes. Our choice. */
const PATIENCE_MS = 30 * 60_000;
/** An export's URL is valid for ten minutes; asking again makes a new one. */
const DOWNLOADS = 3;

/**
 * Makes an export and streams it to a file that only its owner can read. Throws `AuditError` as the WorkOS client does, and
 * `unavailable` if the export does not become ready or cannot be downloaded.
 */
export async function downloadExport(workos: Workos, range: ExportRange, path: string): Promise<void> {
  const { organization, since, until } = range;
  const body = { organization_id: organization, range_start: since, range_end: until };
  const { id } = parse(await workos.post("/audit_logs/exports", body));
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(await readyUrl(workos, id));
    if (response.ok && response.body) {
      const bytes = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
      return pipeline(bytes, createWriteStream(path, { mode: 0o600 }));
    }
    await response.body?.cancel();
    if (attempt === DOWNLOADS) {
      throw new AuditError(
        "unavailable",
        `the export of "${organization}" cannot be downloaded: status ${response.status}`,
      );
    }
  }
}

async function readyUrl(workos: Workos, id: string): Promise<string> {
  for (let waitedMs = 0; waitedMs <= PATIENCE_MS; waitedMs += POLL_MS) {
    const { state, url } = parse(await workos.get(`/audit_logs/exports/${encodeURIComponent(id)}`));
    if (state === "ready" && url) return url;
    if (state !== "pending" && state !== "ready")
      throw new AuditError("unavailable", `WorkOS could not make the export: state ${state}`);
    await sleep(POLL_MS);
  }
  throw new AuditError("unavailable", "WorkOS did not finish the export within half an hour; ask for a shorter period");
}

function parse(answer: unknown): z.infer<typeof Export> {
  const parsed = Export.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new AuditError("unavailable", "the answer of WorkOS is not an export");
}
