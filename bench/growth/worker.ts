/** Our worker with filled databases, several of them in one workerd process. */
import { stat } from "node:fs/promises";
import { LEDGER_SHARDS } from "../../shared/limits.ts";
import { shardName } from "../../worker/ledger/former-shard.ts";
import { startBareWorkerd } from "../worker/bare-workerd.ts";
import { oursBundle } from "../worker/bundles.ts";
import { bindingsFor, STORES } from "../worker/scripts.ts";
import type { Workerd } from "../workerd.ts";
import { objectFile } from "./object-file.ts";

/** The databases of one worker. */
export interface ObjectFiles {
  /** The dead letters. */
  readonly letters: string;
  /** By the number of the shard. */
  readonly shards: readonly string[];
}

/** A worker that is named for what its databases hold. */
export function filesOf(stateDir: string, name: string): ObjectFiles {
  return {
    letters: objectFile(stateDir, name, STORES.ARCHIVE, "archive"),
    shards: Array.from({ length: LEDGER_SHARDS }, (_, shard) =>
      objectFile(stateDir, name, STORES.LEDGER, shardName(shard)),
    ),
  };
}

/** Size of these files together; a file that is not there counts as empty. */
export async function bytesOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Starts a worker for each name, all with the same variables and with whatever is in their files. */
export async function startWorkers(names: readonly string[], stateDir: string, sinkUrl: string): Promise<Workerd> {
  const script = await oursBundle();
  const bindings = bindingsFor(sinkUrl);
  return startBareWorkerd(
    names.map((name) => ({ name, script, bindings, durableObjects: STORES })),
    stateDir,
  );
}
