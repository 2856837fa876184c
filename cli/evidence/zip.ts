/** Writes a zip whose bytes depend only on names and contents. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { join } from "node:path";
import { ZipFile } from "yazl";

/** The earliest time that a zip can store, in local time, as zip files use. */
const FIXED_TIME = new Date(1980, 0, 1);
const FIXED_MODE = 0o100644;

/** Packs files of a folder in the given order, readable only by their owner. */
export async function writeZip(folder: string, names: readonly string[], path: string): Promise<void> {
  const zip = new ZipFile();
  for (const name of names) {
    zip.addFile(join(folder, name), name, {
      mtime: FIXED_TIME,
      mode: FIXED_MODE,
      compress: true,
      forceDosTimestamp: true,
    });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path, { mode: 0o600 }));
}
