/** The files of the log: which tiles a checkpoint needs, and their digests. Pure. */
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import { tilePath } from "../../shared/evidence/tiles.ts";

const TILE_WIDTH = 256;

const Digest = z.looseObject({
  number: z.number(),
  from: z.string(),
  until: z.string(),
  organizations: z.array(z.looseObject({ id: z.string(), events: z.number() })),
});
export type Digest = z.infer<typeof Digest>;

/** Returns the number of digests that a checkpoint covers. Throws `AuditError` `unavailable` if the text is not a checkpoint. */
export function sizeOf(checkpoint: Buffer): number {
  const size = /^[^\n]+\n(0|[1-9]\d{0,14})\n/.exec(checkpoint.toString())?.[1];
  if (size === undefined) throw new AuditError("unavailable", 'the worker\'s "checkpoint" is not a checkpoint');
  return Number(size);
}

/** The bundles of entries, in order. */
export function bundlePaths(size: number): readonly string[] {
  return pathsOf("entries", size);
}

/** The hash tiles of every level. */
export function tilePaths(size: number): readonly string[] {
  const paths: string[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    paths.push(...pathsOf(level, count));
  }
  return paths;
}

function pathsOf(level: number | "entries", count: number): readonly string[] {
  return Array.from({ length: Math.ceil(count / TILE_WIDTH) }, (_, index) =>
    tilePath(level, index, Math.min(TILE_WIDTH, count - index * TILE_WIDTH)),
  );
}

/** Returns the digests of a bundle. Throws `AuditError` `unavailable` if it is damaged; `verify` explains the damage. */
export function digestsIn(bundle: Buffer, path: string): readonly Digest[] {
  const digests: Digest[] = [];
  for (let at = 0; at < bundle.length;) {
    const end = at + 2 + bundle.readUInt16BE(at);
    const digest = Digest.safeParse(JSON.parse(bundle.subarray(at + 2, end).toString()));
    if (!digest.success)
      throw new AuditError("unavailable", `"${path}" of the worker has an entry that is not a digest`);
    digests.push(digest.data);
    at = end;
  }
  return digests;
}

/** An organization's part of the file names of a digest. */
export function leavesPath(number: number, organization: string): string {
  return `leaves/${number}/${encodeURIComponent(organization)}.jsonl`;
}

export function copiesPath(number: number, organization: string): string {
  return `copies/${number}/${encodeURIComponent(organization)}.jsonl.gz`;
}
