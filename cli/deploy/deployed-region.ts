/** Where the deployed worker keeps its data, as it says itself. */
import * as z from "zod";
import { baseUrl } from "../../shared/base-url.ts";
import { AuditError } from "../../shared/errors.ts";
import { fetchJson } from "../http/json-answer.ts";
import type { Io } from "../run/io.ts";
import type { Upload } from "./upload.ts";
import type { Values } from "./variables.ts";

const TIMEOUT_MS = 10_000;
const Health = z.looseObject({ jurisdiction: z.string().nullable().default(null) });

/** Asks the worker at this base URL; null if it has no jurisdiction, undefined if no audit forwarder answers. Never throws. */
export async function deployedJurisdiction(url: string): Promise<string | null | undefined> {
  const answer = await fetchJson(`${url}/health`, {}, TIMEOUT_MS).catch(() => undefined);
  const parsed = Health.safeParse(answer?.status === 200 ? answer.json : undefined);
  return parsed.success ? parsed.data.jurisdiction : undefined;
}

/** Says that the worker would move, which it cannot; undefined if it stays, or if none is deployed. */
export function moveFault(deployed: string | null | undefined, chosen: string | undefined): string | undefined {
  if (deployed === undefined || deployed === (chosen || null)) return undefined;
  return `the worker keeps its data in ${words(deployed)}, but "AUDIT_JURISDICTION" is ${words(chosen)} here`;
}

interface Ports {
  readonly io: Pick<Io, "env">;
  readonly deployedJurisdiction: typeof deployedJurisdiction;
}

/**
 * Asks the worker before anything is uploaded, because under another jurisdiction it would find none of its data. Throws
 * `invalid_variable`. A worker whose URL is known only after the upload is not asked; it refuses by itself.
 */
export async function refuseMove(
  { environment, values }: { readonly environment: string; readonly values: Values },
  { bindings }: Upload,
  ports: Ports,
): Promise<void> {
  const url = baseUrl(values.secrets["AUDIT_WORKER_URL"] ?? ports.io.env["AUDIT_WORKER_URL"] ?? "");
  const deployed = url === undefined ? undefined : await ports.deployedJurisdiction(url);
  const fault = moveFault(deployed, bindings.get("AUDIT_JURISDICTION"));
  if (fault === undefined) return;
  const fix = `a worker cannot move, so set it back in wrangler.toml, under [env.${environment}.vars]`;
  throw new AuditError("invalid_variable", `${fault} (asked ${url}); ${fix}`);
}

function words(jurisdiction: string | null | undefined): string {
  return jurisdiction ? `"${jurisdiction}"` : "no jurisdiction";
}
