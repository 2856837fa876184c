/** The directory behind the worker's binding. */
import { cachedDirectory, type Directory } from "./directory.ts";
import type { Env } from "./env.ts";

const directories = new WeakMap<KVNamespace, Directory>();

/** Returns the directory of this worker, or undefined if it has none. There is one per isolate, because it keeps a cache. */
export function directoryOf({ DIRECTORY: store, clock }: Pick<Env, "DIRECTORY" | "clock">): Directory | undefined {
  if (!store) return undefined;
  const directory = directories.get(store) ?? cachedDirectory(store, clock.now);
  directories.set(store, directory);
  return directory;
}
