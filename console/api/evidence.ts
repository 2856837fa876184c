/** Reads the public evidence: the checkpoint and the newest digests, in the formats of C2SP. */
import { TILE_WIDTH, tilePath } from "../../shared/evidence/tiles.ts";
import { ApiFailure, rawBytes } from "./client.ts";

interface Digest {
  readonly number: number;
  readonly from: string;
  readonly until: string;
  readonly events: number;
  readonly missing: number;
}

export interface Evidence {
  readonly origin: string;
  readonly size: number;
  /** Base64, as in the checkpoint. */
  readonly root: string;
  /** Newest first. */
  readonly digests: readonly Digest[];
  /** Sequence numbers of gateway isolates that never arrived, in these digests. */
  readonly missing: number;
}

/** Returns the newest evidence, or null until the first digest is sealed. Throws `ApiFailure`. */
export async function loadEvidence(): Promise<Evidence | null> {
  const checkpoint = await checkpointText();
  if (checkpoint === undefined) return null;
  const [origin = "", sizeText = "", root = ""] = checkpoint.split("\n");
  const size = Number(sizeText);
  const digests = size > 0 ? await newestDigests(size) : [];
  return { origin, size, root, digests, missing: digests.reduce((sum, { missing }) => sum + missing, 0) };
}

async function checkpointText(): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await rawBytes("/evidence/checkpoint"));
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined;
    throw error;
  }
}

/** Returns the digests of the last tile, up to 256: nearly three days. */
async function newestDigests(size: number): Promise<readonly Digest[]> {
  const tile = Math.floor((size - 1) / TILE_WIDTH);
  const entries = entriesIn(await rawBytes(`/evidence/${tilePath("entries", tile, size - tile * TILE_WIDTH)}`));
  return entries.map(digestOf).toReversed();
}

/** Each entry follows its length, which takes two bytes. */
function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 2 <= bytes.byteLength;) {
    const length = view.getUint16(at);
    yield bytes.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
}

function entriesIn(bytes: Uint8Array): readonly unknown[] {
  return [...partsOf(bytes)].map((entry) => JSON.parse(new TextDecoder().decode(entry)) as unknown);
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
