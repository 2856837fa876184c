/** Finds a port for a program that receives its number at the start and listens only seconds later. */
import { once } from "node:events";
import { createServer } from "node:net";
import { threadId } from "node:worker_threads";
import { AuditError } from "../shared/errors.ts";

/**
 * Below the range from which systems assign ports (Linux from 32768, others from 49152): until the program listens, another server
 * or connection could get such a port.
 */
const FIRST = 20_000;
const COUNT = 12_768;
/** Distance between the first ports of processes and threads that search at the same time, because their ids are usually close. */
const STRIDE = 97;

let turn = (process.pid + threadId * 40) * STRIDE;

/** Returns a port that nobody listens on; each call returns another. Throws `unavailable` if a hundred in a row are taken. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = FIRST + (turn++ % COUNT);
    if (await isFree(port)) return port;
  }
  throw new AuditError("unavailable", "no free port was found");
}

/** Throws `port_taken` if something listens on the port, on the given address or on any. */
export async function refuseTakenPort(port: number, host?: string): Promise<void> {
  if (await isFree(port, host)) return;
  throw new AuditError("port_taken", `port ${port} is taken; stop what uses it or choose another "port"`);
}

async function isFree(port: number, host?: string): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) =>
    server.once("error", () => resolve(false)).listen({ port, ...(host && { host }) }, () => resolve(true)),
  );
  if (free) await once(server.close(), "close");
  return free;
}
