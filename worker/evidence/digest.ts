/** Digests: the events delivered in a quarter of an hour, as entries of the log. Pure. */
import { fromHex, toHex } from "../../shared/bytes.ts";
import { canonicalJson } from "../../shared/evidence/canonical-json.ts";
import { rootOf, type Sha256 } from "../../shared/evidence/merkle.ts";
import { quarterStartMs } from "../../shared/evidence/quarter.ts";
import { ENTRY_MAX_BYTES } from "../../shared/evidence/tiles.ts";
import type { SealedEvent } from "../ledger/sealing.ts";

/** Most organizations in one digest, so that it fits an entry of the log. Our choice. */
const ORGANIZATIONS_MAX = 400;
/** Bytes of a digest without its organizations, and of one organization without its id. Both are rounded up. */
const FRAME_BYTES = 600;
const ORGANIZATION_BYTES = 120;

/** What a digest says besides the events. */
export interface DigestFacts {
  /** Dead letters of the quarter, and how many are open when it is sealed. */
  readonly dead_letters: {
    readonly parked: number;
    readonly replayed: number;
    readonly discarded: number;
    readonly open: number;
  };
  /** Gateway isolates and their missing sequence numbers, for requests until five minutes before the end of the quarter. */
  readonly sequences: { readonly isolates: number; readonly missing: number };
}

interface OrganizationLeaves {
  readonly id: string;
  /** Sorted by event id. */
  readonly events: readonly SealedEvent[];
}

export interface Digest {
  readonly number: number;
  /** Returns the entry of the log: RFC 8785 JSON. */
  readonly text: string;
  readonly organizations: readonly OrganizationLeaves[];
}

/** The state of the log before the digests of a quarter. */
interface Before {
  readonly number: number;
  /** Hash of the last digest, as hexadecimal digits; null before the first. */
  readonly previous: string | null;
}

/**
 * Returns the digests of a quarter: one even if nothing was delivered, or several with the same period if there are more
 * organizations than one can hold.
 */
export function digestsOf(
  sha256: Sha256,
  quarter: number,
  events: readonly SealedEvent[],
  facts: DigestFacts,
  before: Before,
): readonly Digest[] {
  let { number, previous } = before;
  const digests: Digest[] = [];
  for (const organizations of portionsOf(organizationsOf(events))) {
    const text = canonicalJson({
      v: 1,
      number,
      from: new Date(quarterStartMs(quarter)).toISOString(),
      until: new Date(quarterStartMs(quarter + 1)).toISOString(),
      previous,
      organizations: organizations.map((one) => ({ id: one.id, events: one.events.length, root: rootIn(sha256, one) })),
      ...facts,
    });
    digests.push({ number, text, organizations });
    number += 1;
    previous = digestHash(sha256, text);
  }
  return digests;
}

/** Returns the hash that the next digest stores as `previous`. */
export function digestHash(sha256: Sha256, text: string): string {
  return toHex(sha256(new TextEncoder().encode(text)));
}

/** Returns the lines of an organization's leaves, in the order of the root. */
export function leavesText({ events }: OrganizationLeaves): string {
  return events.map(([id, , leaf]) => `${canonicalJson({ event_id: id, leaf })}\n`).join("");
}

function rootIn(sha256: Sha256, { events }: OrganizationLeaves): string {
  return toHex(
    rootOf(
      sha256,
      events.map(([, , leaf]) => fromHex(leaf)),
    ),
  );
}

function organizationsOf(events: readonly SealedEvent[]): readonly OrganizationLeaves[] {
  const groups = Map.groupBy(events, ([, organization]) => organization);
  return [...groups]
    .map(([id, group]) => ({ id, events: group.toSorted(([left], [right]) => (left < right ? -1 : 1)) }))
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

function portionsOf(organizations: readonly OrganizationLeaves[]): readonly (readonly OrganizationLeaves[])[] {
  const portions: OrganizationLeaves[][] = [[]];
  let bytes = FRAME_BYTES;
  for (const one of organizations) {
    const size = ORGANIZATION_BYTES + new TextEncoder().encode(JSON.stringify(one.id)).length;
    const isFull = (portions.at(-1)?.length ?? 0) >= ORGANIZATIONS_MAX || bytes + size > ENTRY_MAX_BYTES;
    if (isFull) portions.push([]);
    bytes = (isFull ? FRAME_BYTES : bytes) + size;
    portions.at(-1)?.push(one);
  }
  return portions;
}
