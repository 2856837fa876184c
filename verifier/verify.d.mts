/** Types of `verify.mjs`, for the CLI and the tests. */

export interface VerifyOptions {
  /** A folder as `evidence pull` writes it, or a pack: a zip, or unpacked. */
  readonly evidence: string;
  /** The file with the verifier keys of the log and of witnesses. Without it no signature is checked. */
  readonly key?: string | undefined;
  readonly exports?: readonly string[] | undefined;
  /** An older checkpoint that you kept. */
  readonly trusted?: string | undefined;
  /** A JSON file from names of columns to pointers into `{organization_id, event}`. */
  readonly columns?: string | undefined;
  /** The certificates that you trust for time stamps, in PEM form. */
  readonly tsa?: string | undefined;
  readonly organization?: string | undefined;
  /** Inclusive, by `occurred_at`, in ms since the epoch. */
  readonly since?: number | undefined;
  /** Exclusive. */
  readonly until?: number | undefined;
}

export interface Anchor {
  readonly kind: "timestamp" | "witness";
  /** The number of digests in the checkpoint that it vouches for. */
  readonly size: number;
  readonly trusted: boolean;
  readonly time?: string;
  readonly name?: string;
  readonly authority?: string;
  readonly problem?: string;
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string };
  readonly digests: number;
  readonly events: number;
  readonly found: number;
  readonly missing: readonly string[];
  readonly altered: readonly { readonly event_id: string; readonly fields: readonly string[] }[];
  readonly unexpected: readonly string[];
  readonly uncompared: number;
  readonly uncompared_fields: readonly string[];
  readonly foreign_rows: number;
  readonly chain: string;
  readonly anchors: readonly Anchor[];
  readonly grade: "chained" | "signed" | "timestamped" | "witnessed";
  readonly exports: readonly string[];
}

export class Unusable extends Error {
  readonly exitCode: 1 | 2;
  readonly code: "wrong_use" | "unreadable";
}

export class Tree {
  readonly size: number;
  add(hash: string): this;
  root(): string;
}

/** Returns the canonical JSON of a value (RFC 8785), of which the evidence holds hashes. */
export function canonical(value: unknown): string;

/**
 * Checks a folder or pack of evidence, and compares it with exports. Throws `Unusable` if a file or an option is wrong.
 *
 * @example
 * const result = await verifyEvidence({ evidence: "evidence", key: "audit-evidence.pub", exports: ["export.csv"] });
 * console.log(textOf(result));
 */
export function verifyEvidence(options: VerifyOptions): Promise<VerifyResult>;

/** Returns the result as the lines that the command prints. */
export function textOf(result: VerifyResult): string;
