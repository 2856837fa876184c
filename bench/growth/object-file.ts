/** The database of a Durable Object as workerd keeps it on disk, so that it can be filled without a delivery for each row. */
import { createHash, createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqlPort } from "../../dev/sql-port.ts";
import type { Sql } from "../../worker/storage/sql.ts";

/** Where `startBareWorkerd` keeps an object of a worker. */
export function objectFile(stateDir: string, worker: string, className: string, objectName: string): string {
  const uniqueKey = `${worker}-${className}`;
  return join(stateDir, worker, uniqueKey, `${objectId(uniqueKey, objectName)}.sqlite`);
}

/** As `idFromName` of workerd does it. https://github.com/cloudflare/workerd/blob/main/src/workerd/server/actor-id-impl.c++ */
function objectId(uniqueKey: string, objectName: string): string {
  const key = createHash("sha256").update(uniqueKey).digest();
  const sign = (data: string | Buffer) => createHmac("sha256", key).update(data).digest().subarray(0, 16);
  const name = sign(objectName);
  return Buffer.concat([name, sign(name)]).toString("hex");
}

/** Opens a database to be filled. Nothing waits for the disk: after a crash it is made again. */
export function openDatabase(file: string): { readonly sql: Sql; readonly close: () => void } {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;");
  return { sql: sqlPort(database), close: () => database.close() };
}
