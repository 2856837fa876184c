/** Files that only their owner can read, because they hold values of requests. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { WrongUse } from "./failure.ts";

/**
 * Opens a file for writing, empty and with mode 0600. Devices and pipes are opened unchanged. Throws `WrongUse` if the file cannot
 * be opened, or if others can read it and that cannot be changed; then the file keeps its content.
 */
export async function openPrivateFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw new WrongUse(`"${path}" cannot be written (${cause.code ?? "unknown"}); name another file`, { cause });
  });
  try {
    const info = await file.stat();
    if (!info.isFile()) return file;
    // Before the first byte, because another process may already be reading.
    if ((info.mode & 0o777) !== 0o600) await file.chmod(0o600);
    await file.truncate(0);
    return file;
  } catch (cause) {
    await file.close();
    throw new WrongUse(`"${path}" cannot be kept from other users; name another file`, { cause });
  }
}

/** Writes a whole file as `openPrivateFile` opens it. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const file = await openPrivateFile(path);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
