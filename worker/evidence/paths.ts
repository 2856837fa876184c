/** Paths in the bucket and under `/evidence/`. The paths of tiles are in `shared/evidence/tiles.ts`. */

export const CHECKPOINT_PATH = "checkpoint";

/** Returns the path of an organization's leaves in a digest. */
export function leavesPath(number: number, organization: string): string {
  return `leaves/${number}/${encodeURIComponent(organization)}.jsonl`;
}

/** Returns the path of the bodies of an organization's events in a digest. */
export function copiesPath(number: number, organization: string): string {
  return `copies/${number}/${encodeURIComponent(organization)}.jsonl.gz`;
}

/** Returns the path of the time stamp of a checkpoint. */
export function stampPath(size: number): string {
  return `anchors/${size}.tsr`;
}
