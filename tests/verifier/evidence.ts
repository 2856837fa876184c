/**
 * Makes evidence as the specifications describe it, with code of its own: recursive trees, no tiles in memory. The verifier and the
 * worker share nothing with it.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import canonicalize from "canonicalize";
import type { EventBody } from "../../shared/event.ts";
import { uuidOf } from "../../shared/event-id.ts";

const ORIGIN = "audit.example.com/evidence";
export const START_MS = Date.parse("2026-11-30T10:00:00.000Z");
const QUARTER_MS = 900_000;

/** Events by organization, in the order in which they were delivered. One entry per digest. */
export type Quarter = Readonly<Record<string, readonly EventBody[]>>;
export type Files = Map<string, Buffer>;

const sha256 = (...data: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of data) hash.update(part);
  return hash.digest();
};

export const leafOf = (body: string | Buffer): Buffer => sha256(Buffer.of(0), body);

/** RFC 6962, section 2.1, as it is written there. The leaves are hashed already. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256("");
  if (leaves.length === 1) return only;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** RFC 8785, by an author of it. */
export function canonicalOf(value: unknown): string {
  return canonicalize(value) ?? "";
}

interface Signer {
  readonly name: string;
  /** The line for the key file. */
  readonly line: string;
  readonly id: Buffer;
  readonly key: KeyObject;
}

/** An Ed25519 key from a seed of one repeated byte. Algorithm 1 is the log's, 4 is a witness's. */
export function signerOf(name: string, seed: number, algorithm: 1 | 4 = 1): Signer {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, seed)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const raw = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url");
  const blob = Buffer.concat([Buffer.of(algorithm), raw]);
  const id = sha256(`${name}\n`, blob).subarray(0, 4);
  return { name, key, id, line: `${name}+${id.toString("hex")}+${blob.toString("base64")}` };
}

export const LOG = signerOf(ORIGIN, 1);

export function noteText(size: number, root: Buffer, origin = ORIGIN): string {
  return `${origin}\n${size}\n${root.toString("base64")}\n`;
}

export function signatureLine(text: string, { name, id, key }: Signer): string {
  return `— ${name} ${Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString("base64")}\n`;
}

export function cosignatureLine(text: string, { name, id, key }: Signer, seconds: number): string {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), key);
  return `— ${name} ${Buffer.concat([id, time, signature]).toString("base64")}\n`;
}

interface Made {
  readonly files: Files;
  readonly digests: readonly string[];
}

/** The evidence of some quarters, one digest for each. With `copies`, the bodies too. */
export function evidenceOf(quarters: readonly Quarter[], { copies = false, signer = LOG } = {}): Made {
  const files: Files = new Map();
  const digests: string[] = [];
  quarters.forEach((quarter, number) => {
    const organizations = Object.keys(quarter)
      .toSorted()
      .map((id) => {
        const bodies = (quarter[id] ?? []).map(canonicalOf);
        const leaves = bodies.map(leafOf);
        const lines = bodies.map((body, at) => leafLine(eventIdIn(body), leaves[at] ?? Buffer.alloc(0)));
        files.set(`leaves/${number}/${id}.jsonl`, Buffer.from(lines.join("")));
        if (copies) files.set(`copies/${number}/${id}.jsonl.gz`, gzipSync(bodies.map((body) => `${body}\n`).join("")));
        return { id, events: bodies.length, root: rootOf(leaves).toString("hex") };
      });
    digests.push(digestOf(number, digests[number - 1], organizations));
  });
  writeLog(files, digests, signer);
  return { files, digests };
}

export function leafLine(id: string, leaf: Buffer): string {
  return `{"event_id":"${id}","leaf":"${leaf.toString("hex")}"}\n`;
}

export function digestOf(number: number, before: string | undefined, organizations: readonly object[]): string {
  const from = START_MS + number * QUARTER_MS;
  return canonicalOf({
    v: 1,
    number,
    from: new Date(from).toISOString(),
    until: new Date(from + QUARTER_MS).toISOString(),
    previous: before === undefined ? null : sha256(before).toString("hex"),
    organizations,
    dead_letters: { parked: 0, replayed: 0, discarded: 0, open: 0 },
    sequences: { isolates: 1, missing: 0 },
  });
}

/** Writes checkpoint and tiles of a log with these entries. https://c2sp.org/tlog-tiles */
export function writeLog(files: Files, entries: readonly string[], signer = LOG): void {
  for (const name of files.keys()) if (name.startsWith("tile/")) files.delete(name);
  const hashes = entries.map(leafOf);
  const framed = entries.map((entry) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(Buffer.byteLength(entry));
    return Buffer.concat([length, Buffer.from(entry)]);
  });
  for (let first = 0; first < entries.length; first += 256) {
    files.set(tileName("entries", first, entries.length), Buffer.concat(framed.slice(first, first + 256)));
  }
  for (let level = 0, span = 1; span <= entries.length; level++, span *= 256) {
    const row = Array.from({ length: Math.floor(entries.length / span) }, (_, at) =>
      rootOf(hashes.slice(at * span, (at + 1) * span)),
    );
    for (let first = 0; first < row.length; first += 256) {
      files.set(tileName(level, first, row.length), Buffer.concat(row.slice(first, first + 256)));
    }
  }
  const text = noteText(entries.length, rootOf(hashes), signer.name);
  files.set("checkpoint", Buffer.from(`${text}\n${signatureLine(text, signer)}`));
}

function tileName(level: number | string, first: number, count: number): string {
  const width = Math.min(256, count - first);
  return `tile/${level}/${String(first / 256).padStart(3, "0")}${width < 256 ? `.p/${width}` : ""}`;
}

function eventIdIn(body: string): string {
  return String((JSON.parse(body) as EventBody).event.metadata["event_id"]);
}

/** An event of the organization, `n` seconds after the start, with a UUIDv7 of that time. */
export function eventOf(organization: string, n: number, fields: object = {}, metadata: object = {}): EventBody {
  const ms = START_MS + n * 1000;
  const id = uuidOf(
    `${ms.toString(16).padStart(12, "0")}7000${sha256(`${organization} ${n}`).toString("hex").replace(/^./, "8").slice(0, 16)}`,
  );
  return {
    organization_id: organization,
    event: {
      action: "invoice.voided",
      occurred_at: new Date(ms).toISOString(),
      actor: { id: "user_1", type: "user", name: 'Ann "A" O’Neil' },
      targets: [{ id: `invoice_${n}`, type: "invoice" }],
      context: { location: "203.0.113.7", user_agent: "curl/8.5" },
      metadata: { event_id: id, outcome: "success", http_status: 200, sequence: n, note: "a, b; c\nd", ...metadata },
      ...fields,
    },
  };
}

/** A few quarters of two organizations, one of them quiet. */
export function someQuarters(count = 3, events = 3): readonly Quarter[] {
  return Array.from({ length: count }, (_, number) => ({
    ...(number === 1 ? {} : { org_a: Array.from({ length: events }, (_, at) => eventOf("org_a", number * 900 + at)) }),
    org_b: [eventOf("org_b", number * 900)],
  }));
}

export const bodiesIn = (quarters: readonly Quarter[]): EventBody[] =>
  quarters.flatMap((quarter) => Object.values(quarter).flat());

interface Folder {
  readonly path: string;
  readonly key: string;
  readonly write: (files: Files) => void;
  /** Replaces one file of the evidence. */
  readonly patch: (name: string, bytes: Buffer) => void;
  /** Writes one more file beside the evidence, and returns its path. */
  readonly beside: (name: string, text: string | Buffer) => string;
  readonly remove: () => void;
}

/** A folder for evidence, and the key file beside it. */
export function openFolder(lines: readonly string[] = [LOG.line]): Folder {
  const root = mkdtempSync(join(tmpdir(), "evidence-"));
  const path = join(root, "evidence");
  const beside = (name: string, text: string | Buffer): string => {
    writeFileSync(join(root, name), text);
    return join(root, name);
  };
  return {
    path,
    key: beside("audit-evidence.pub", `${lines.join("\n")}\n`),
    beside,
    write: (files) => {
      rmSync(path, { recursive: true, force: true });
      for (const [name, bytes] of files) {
        mkdirSync(dirname(join(path, name)), { recursive: true });
        writeFileSync(join(path, name), bytes);
      }
    },
    patch: (name, bytes) => writeFileSync(join(path, name), bytes),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
