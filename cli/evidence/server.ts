/** Reads files of the evidence from the worker. */
import { setTimeout as sleep } from "node:timers/promises";
import { failureOfAnswer, failureOfFetch } from "../api/failure.ts";
import { workerUrl } from "../api/client.ts";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";

/** A large leaf file may take a while on a slow connection. Our choice. */
const TIMEOUT_MS = 300_000;
const ATTEMPTS = 4;
const RETRY_DELAY_MS = 500;

/** Returns the bytes of an evidence file, or undefined if it does not exist. */
export type EvidenceFile = (path: string) => Promise<Buffer | undefined>;

/**
 * Reads files under `/evidence/` with `AUDIT_ADMIN_TOKEN`, up to four times each while the worker is unreachable. Throws `WrongUse`
 * if a variable is missing, and `AuditError` `unauthorized` or `unavailable`.
 */
export function openEvidence(io: Io): EvidenceFile {
  const base = workerUrl(io);
  const token = io.env["AUDIT_ADMIN_TOKEN"];
  if (!token) throw new WrongUse('"AUDIT_ADMIN_TOKEN" is not set; export a token of the worker; any role will do');
  return async (path) => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await ask(`${base}/evidence/${path}`, token);
      if ("bytes" in outcome) return outcome.bytes;
      if (outcome.isFinal || attempt === ATTEMPTS) throw outcome.error;
      await sleep(RETRY_DELAY_MS * attempt);
    }
  };
}

type Outcome = { readonly bytes: Buffer | undefined } | { readonly error: Error; readonly isFinal: boolean };

async function ask(url: string, token: string): Promise<Outcome> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.ok) return { bytes };
    if (response.status === 404) return { bytes: undefined };
    const error = failureOfAnswer(response.status, jsonOf(bytes), response.headers.get("retry-after"));
    return { error, isFinal: response.status < 500 && response.status !== 429 };
  } catch (cause) {
    return { error: failureOfFetch(cause, new URL(url).origin, TIMEOUT_MS), isFinal: false };
  }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
}
