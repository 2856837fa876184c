/** Downloads the evidence into a folder. Files that are already there and never change are not fetched again. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AuditError } from "../../shared/errors.ts";
import { bundlePaths, copiesPath, type Digest, digestsIn, leavesPath, sizeOf, tilePaths } from "./log.ts";
import type { EvidenceFile } from "./server.ts";

interface PullOptions {
  /** ISO 8601. Narrows leaves, copies and time stamps to the digests that overlap the period. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Also fetches the bodies of the events. */
  readonly copies?: boolean | undefined;
  /** Only the leaves of one organization. */
  readonly organization?: string | undefined;
}

interface Pulled {
  readonly digests: readonly Digest[];
  readonly fetched: number;
  readonly kept: number;
}

/** Parallel downloads. Our choice. */
const LANES = 8;
/** A new checkpoint may replace the tiles of the last one while they are fetched. */
const ATTEMPTS = 5;
/** If clocks differ, an event may be delivered shortly before it happened. */
const CLOCK_SKEW_MS = 3_600_000;

/**
 * Pulls the checkpoint and all tiles, then leaves, time stamps and copies. Writes the checkpoint last, so that a folder with a
 * checkpoint is complete. Throws `AuditError` `not_found` if the worker keeps no evidence.
 */
export async function pull(file: EvidenceFile, folder: string, options: PullOptions = {}): Promise<Pulled> {
  for (let attempt = 1; ; attempt++) {
    const checkpoint = await file("checkpoint");
    if (!checkpoint)
      throw new AuditError(
        "not_found",
        "the worker has no checkpoint; deploy it with --evidence, or wait a quarter of an hour",
      );
    const target = new Target(file, folder);
    const size = sizeOf(checkpoint);
    const lost = await target.fetchAll([...tilePaths(size), ...bundlePaths(size)]);
    if (lost.length > 0 && attempt < ATTEMPTS) continue;
    const digests = await readDigests(folder, size, new Set(lost));
    const missing = [...lost, ...(await target.fetchAll(leavesWithin(digests, options)))];
    await target.fetchAll(optionalWithin(digests, options));
    await mkdir(folder, { recursive: true });
    await writeWhole(join(folder, "checkpoint"), checkpoint);
    if (missing.length === 0) return { digests, fetched: target.fetched + 1, kept: target.kept };
    const [first] = missing;
    throw new AuditError(
      "not_found",
      `the worker lacks ${missing.length} files of the evidence, such as "${first}"; "verify" says what that means`,
    );
  }
}

async function readDigests(folder: string, size: number, lost: ReadonlySet<string>): Promise<readonly Digest[]> {
  const paths = bundlePaths(size).filter((path) => !lost.has(path));
  return (await Promise.all(paths.map(async (path) => digestsIn(await readFile(join(folder, path)), path)))).flat();
}

function within({ since, until }: PullOptions) {
  const [from, end] = [since ? Date.parse(since) - CLOCK_SKEW_MS : -Infinity, until ? Date.parse(until) : Infinity];
  return (digest: Digest): boolean => Date.parse(digest.until) > from && Date.parse(digest.from) < end;
}

function leavesWithin(digests: readonly Digest[], options: PullOptions): readonly string[] {
  return pathsWithin(digests, options, leavesPath);
}

/** Time stamps and copies, which are optional. */
function optionalWithin(digests: readonly Digest[], options: PullOptions): readonly string[] {
  const stamps = digests.filter(within(options)).map(({ number }) => `anchors/${number + 1}.tsr`);
  return options.copies ? [...stamps, ...pathsWithin(digests, options, copiesPath)] : stamps;
}

function pathsWithin(digests: readonly Digest[], options: PullOptions, pathOf: typeof leavesPath): readonly string[] {
  const { organization } = options;
  return digests
    .filter(within(options))
    .flatMap(({ number, organizations }) =>
      organizations
        .filter(({ id }) => organization === undefined || id === organization)
        .map(({ id }) => pathOf(number, id)),
    );
}

class Target {
  readonly #file: EvidenceFile;
  readonly #folder: string;
  fetched = 0;
  kept = 0;

  constructor(file: EvidenceFile, folder: string) {
    this.#file = file;
    this.#folder = folder;
  }

  /** Fetches files, several at a time. Returns those that the worker does not have. */
  async fetchAll(paths: readonly string[]): Promise<readonly string[]> {
    const lost: string[] = [];
    const rest = paths.values();
    const lane = async (): Promise<void> => {
      for (const path of rest) if (!(await this.#fetch(path))) lost.push(path);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return lost;
  }

  async #fetch(path: string): Promise<boolean> {
    const target = join(this.#folder, path);
    if (existsSync(target)) {
      this.kept += 1;
      return true;
    }
    const bytes = await this.#file(path);
    if (bytes === undefined) return false;
    await mkdir(dirname(target), { recursive: true });
    await writeWhole(target, bytes);
    this.fetched += 1;
    return true;
  }
}

/** Writes to a temporary name first, so that a partial file never has the final name. */
async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  await writeFile(`${path}.part`, bytes, { mode: 0o600 });
  await rename(`${path}.part`, path);
}
