/** Whether evidence is kept, and what its writer needs. */
import type * as z from "zod/mini";
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import { EvidenceVariables, seedOf } from "./variables.ts";

type Parsed = z.infer<typeof EvidenceVariables>;
type Anchors = Pick<Parsed, "AUDIT_TSA_URL" | "AUDIT_ANCHOR_URL" | "AUDIT_ANCHOR_KEY">;

export interface EvidenceSettings extends Anchors {
  readonly bucket: R2Bucket;
  readonly seed: Uint8Array;
  readonly origin: string;
  readonly isCopying: boolean;
  /** Organization of the daily event about the checkpoint. */
  readonly organization: string | undefined;
}

type EvidenceState =
  /** No bucket is bound. */
  | { readonly kind: "off" }
  /** Names of the variables that are missing or malformed, never their values. */
  | { readonly kind: "waiting"; readonly names: readonly string[] }
  | { readonly kind: "on"; readonly settings: EvidenceSettings };

/** Parses the variables of the evidence; an empty value counts as missing. */
export function evidenceState(
  env: Env,
  {
    AUDIT_WORKER_URL,
    AUDIT_ORGANIZATION_ID: organization,
  }: Pick<Settings, "AUDIT_WORKER_URL" | "AUDIT_ORGANIZATION_ID">,
): EvidenceState {
  const { EVIDENCE: bucket } = env;
  if (!bucket) return { kind: "off" };
  const given = Object.fromEntries(
    Object.keys(EvidenceVariables.shape).map((name) => [name, env[name] === "" ? undefined : env[name]]),
  );
  const parsed = EvidenceVariables.safeParse(given);
  if (!parsed.success) {
    return { kind: "waiting", names: [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))] };
  }
  const { AUDIT_EVIDENCE_KEY: key, AUDIT_EVIDENCE_ORIGIN, AUDIT_EVIDENCE_COPIES, ...anchors } = parsed.data;
  const origin = AUDIT_EVIDENCE_ORIGIN ?? `${new URL(AUDIT_WORKER_URL).host}/evidence`;
  const seed = seedOf(key) ?? new Uint8Array();
  return {
    kind: "on",
    settings: { bucket, seed, origin, isCopying: AUDIT_EVIDENCE_COPIES === "true", organization, ...anchors },
  };
}
