/** The bucket: what the worker writes to it, and how it is served. */
import { CHECKPOINT_PATH } from "./paths.ts";

/** Media types by the first part or the extension of a path. */
const TYPES: readonly (readonly [path: RegExp, type: string])[] = [
  [/^checkpoint$/, "text/plain; charset=utf-8"],
  [/^tile\/.+$/, "application/octet-stream"],
  [/^leaves\/.+\.jsonl$/, "application/jsonl"],
  [/^copies\/.+\.jsonl\.gz$/, "application/gzip"],
  [/^anchors\/.+\.tsr$/, "application/timestamp-reply"],
  [/^anchors\/.+\.jsonl$/, "application/jsonl"],
];

/** Returns the media type of a path in the bucket; undefined for a path that is not part of the evidence. */
export function mediaType(path: string): string | undefined {
  return TYPES.find(([pattern]) => pattern.test(path))?.[1];
}

/** Writes an object; rejects if the bucket does not answer. */
export async function putObject(bucket: R2Bucket, path: string, content: string | Uint8Array): Promise<void> {
  const contentType = mediaType(path) ?? "application/octet-stream";
  await bucket.put(path, content, { httpMetadata: { contentType } });
}

/**
 * Publishes a checkpoint in place of the current one. Fails if another was published in between, so that an interrupted writer
 * never replaces a newer checkpoint with an older one.
 */
export async function putCheckpoint(bucket: R2Bucket, note: string): Promise<void> {
  const known = await bucket.head(CHECKPOINT_PATH);
  await replaceCheckpoint(bucket, note, known);
}

/** Adds signature lines to the published checkpoint, unless it has changed. */
export async function addSignatures(bucket: R2Bucket, text: string, lines: readonly string[]): Promise<void> {
  const known = await bucket.get(CHECKPOINT_PATH);
  const note = (await known?.text()) ?? "";
  const added = lines.filter((line) => !note.split("\n").includes(line));
  if (!known || !note.startsWith(`${text}\n`) || added.length === 0) return;
  await replaceCheckpoint(bucket, `${note}${added.map((line) => `${line}\n`).join("")}`, known);
}

async function replaceCheckpoint(bucket: R2Bucket, note: string, known: R2Object | null): Promise<void> {
  const onlyIf = known ? { etagMatches: known.etag } : { etagDoesNotMatch: "*" };
  const contentType = mediaType(CHECKPOINT_PATH) ?? "";
  const put = await bucket.put(CHECKPOINT_PATH, note, { httpMetadata: { contentType }, onlyIf });
  if (!put) throw new Error("another checkpoint was published in between");
}
