/** Reads the public evidence: the checkpoint and the newest digests, in the formats of C2SP. */
import { ApiFailure, rawBytes } from "./client.ts";

interface Digest {
  readonly number: number;
  readonly from: string;
  readonly until: string;
  readonly events: number;
  readonly missing: number;
}

/** `off` without the worker's bucket. */
export type EvidenceState =
  | "off"
  | {
      readonly origin: string;
      readonly size: number;
      /** Base64, as in the checkpoint. */
      readonly root: string;
      /** Newest first. */
      readonly digests: readonly Digest[];
      /** Numbers of gateway isolates that never arrived, in these digests. */
      readonly missing: number;
    };

/** Entries in a full tile. https://c2sp.org/tlog-tiles */
const TILE_ENTRIES = 256;

/** Throws `ApiFailure`. */
export async function loadEvidence(): Promise<EvidenceState> {
  const checkpoint = await textOrNothing("/evidence/checkpoint");
  if (checkpoint === undefined) return "off";
  const [origin = "", sizeText = "", root = ""] = checkpoint.split("\n");
  const size = Number(sizeText);
  const digests = size > 0 ? await newestDigests(size) : [];
  return { origin, size, root, digests, missing: digests.reduce((sum, { missing }) => sum + missing, 0) };
}

async function textOrNothing(path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await rawBytes(path));
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined;
    throw error;
  }
}

/** The digests of the last tile, which holds up to 256 of them: nearly three days. */
async function newestDigests(size: number): Promise<readonly Digest[]> {
  const tile = Math.floor((size - 1) / TILE_ENTRIES);
  const width = size - tile * TILE_ENTRIES;
  const name = `${tilePath(tile)}${width === TILE_ENTRIES ? "" : `.p/${width}`}`;
  const entries = entriesIn(await rawBytes(`/evidence/tile/entries/${name}`));
  return entries.map(digestOf).toReversed();
}

/** Tile numbers are written in groups of three digits: `x001/x234/067`. */
function tilePath(tile: number): string {
  const digits = String(tile);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) ?? ["000"];
  return groups.map((group, index) => (index < groups.length - 1 ? `x${group}` : group)).join("/");
}

/** Each entry comes after its length, in two bytes. */
function* lengths(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 2 <= bytes.byteLength;) {
    const length = view.getUint16(at);
    yield bytes.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
}

function entriesIn(bytes: Uint8Array): readonly unknown[] {
  return [...lengths(bytes)].map((entry) => JSON.parse(new TextDecoder().decode(entry)) as unknown);
}

interface DigestEntry {
  readonly number: number;
  readonly from: string;
  readonly until: string;
  readonly organizations: readonly { readonly events: number }[];
  readonly sequences: { readonly missing: number };
}

function digestOf(entry: unknown): Digest {
  const { number, from, until, organizations, sequences } = entry as DigestEntry;
  const events = organizations.reduce((sum, organization) => sum + organization.events, 0);
  return { number, from, until, events, missing: sequences.missing };
}
