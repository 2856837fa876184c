/** Reads a log as an auditor does, with nothing but its files; throws at the first thing that is wrong. Written apart from the writer. */
import { createHash } from "node:crypto";
import { fromHex, toBase64, toHex } from "../../../shared/bytes.ts";

/** The content of a path; undefined if there is none. */
type Files = (path: string) => Promise<Uint8Array | undefined>;

interface DigestJson {
  readonly v: 1;
  readonly number: number;
  readonly from: string;
  readonly until: string;
  readonly previous: string | null;
  readonly organizations: readonly { readonly id: string; readonly events: number; readonly root: string }[];
  readonly dead_letters: unknown;
  readonly sequences: unknown;
}

interface ReadEvent {
  readonly id: string;
  readonly organization: string;
  readonly leaf: string;
  readonly digest: DigestJson;
}

interface ReadLog {
  readonly note: string;
  readonly origin: string;
  readonly size: number;
  readonly digests: readonly DigestJson[];
  readonly events: readonly ReadEvent[];
}

const hash = (...parts: readonly Uint8Array[]) => {
  const sha = createHash("sha256");
  for (const part of parts) sha.update(part);
  return new Uint8Array(sha.digest());
};
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`wrong: ${what}`);
}

/** RFC 6962, section 2.1, word for word. */
function treeRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length <= 1) return leaves[0] ?? hash();
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return hash(Uint8Array.of(1), treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)));
}

export async function readLog(files: Files): Promise<ReadLog> {
  const text = async (path: string) => {
    return textOf(await required(files, path));
  };
  const note = await text("checkpoint");
  const [origin = "", sizeText = "", root = ""] = note.split("\n");
  const size = Number(sizeText);
  const entries: Uint8Array[] = [];
  for (let first = 0; first < size; first += 256) entries.push(...(await readBundle(files, first, size)));
  const leaves = entries.map((entry) => hash(Uint8Array.of(0), entry));
  check(toBase64(treeRoot(leaves)) === root, "root of the checkpoint");
  await checkTiles(files, leaves);

  const digests: DigestJson[] = [];
  const events: ReadEvent[] = [];
  let before: { readonly hash: string; readonly json: DigestJson } | undefined;
  for (const [number, entry] of entries.entries()) {
    const json = JSON.parse(textOf(entry)) as DigestJson;
    check(json.number === number, `number of ${number}`);
    check(json.previous === (before?.hash ?? null), `previous of ${number}`);
    const isSamePeriod = before?.json.from === json.from;
    if (before && !isSamePeriod) check(json.from === before.json.until, `from of ${number}`);
    check(Date.parse(json.until) - Date.parse(json.from) === 900_000, `period of ${number}`);
    check(Date.parse(json.from) % 900_000 === 0, `clock of ${number}`);
    check(json.organizations.length <= 400, `organizations of ${number}`);
    for (const one of json.organizations) {
      const lines = (await text(`leaves/${number}/${encodeURIComponent(one.id)}.jsonl`)).trimEnd().split("\n");
      const found = lines.map((line) => JSON.parse(line) as { event_id: string; leaf: string });
      check(found.length === one.events, `events of ${one.id}`);
      check(toHex(treeRoot(found.map(({ leaf }) => fromHex(leaf)))) === one.root, `root of ${one.id}`);
      for (const { event_id: id, leaf } of found) events.push({ id, leaf, organization: one.id, digest: json });
    }
    digests.push(json);
    before = { hash: toHex(hash(entry)), json };
  }
  return { note, origin, size, digests, events };
}

async function readBundle(files: Files, first: number, size: number): Promise<Uint8Array[]> {
  const width = Math.min(256, size - first);
  const name = String(first / 256).padStart(3, "0");
  const bytes = await required(files, `tile/entries/${name}${width === 256 ? "" : `.p/${width}`}`);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
    entries.push(bytes.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  check(entries.length === width, `entries of bundle ${name}`);
  return entries;
}

async function checkTiles(files: Files, leaves: readonly Uint8Array[]): Promise<void> {
  let hashes = leaves;
  for (let level = 0; hashes.length > 0; level++) {
    const roots: Uint8Array[] = [];
    for (let first = 0; first < hashes.length; first += 256) {
      const part = hashes.slice(first, first + 256);
      const name = String(first / 256).padStart(3, "0");
      const path = `tile/${level}/${name}${part.length === 256 ? "" : `.p/${part.length}`}`;
      check(toHex(await required(files, path)) === part.map(toHex).join(""), path);
      if (part.length === 256) roots.push(treeRoot(part));
    }
    hashes = roots;
  }
}

async function required(files: Files, path: string): Promise<Uint8Array> {
  const content = await files(path);
  if (!content) throw new Error(`${path} is missing`);
  return content;
}
