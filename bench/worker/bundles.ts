/** The bundles that are compared: ours, and the peers' made in the same way. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundleWorker, uploadedWorker } from "../../worker/build.ts";

const OURS = path("../../worker/index.ts");

/** Our worker, readable. */
export function oursBundle(): Promise<string> {
  return bundleWorker();
}

/** The same without its pace. `ledger`: its own, or one that does nothing. */
export function unpacedBundle(ledger: "own" | "free"): Promise<string> {
  const contents = `
    import worker from ${JSON.stringify(OURS)};
    import { freeLedger } from ${JSON.stringify(path("./handlers/free-ledger.ts"))};
    export * from ${JSON.stringify(OURS)};
    import { Monitor as PacedMonitor } from ${JSON.stringify(path("../../worker/monitor/monitor.ts"))};
    // A turn does all of its work but takes no tokens, so no delivery waits for its turn, and every isolate gets those that it wants.
    export class Monitor extends PacedMonitor {
      async turn(_count, longestWaitMs, answeredAgoMs, shards, wanted) {
        return { ...(await super.turn(0, longestWaitMs, answeredAgoMs, shards)), lent: wanted };
      }
    }
    // The same object each time: the worker keeps what it has parsed of its environment.
    let cached;
    export default {
      fetch(request, env, execution) {
        cached ??= { ...env, ${ledger === "free" ? "LEDGER: freeLedger" : ""} };
        return worker.fetch(request, cached, execution);
      },
    };`;
  return bundleWorker({ stdin: { contents, resolveDir: path("./"), loader: "ts" } });
}

/** Ours after gzip, as wrangler counts an upload: the module without its source map. */
export async function uploadGzipBytes(): Promise<number> {
  return gzipSync((await uploadedWorker()).code).byteLength;
}

/** A peer's handler; `minify` to compare its size with what is uploaded. */
export function peerBundle(name: "floor" | "calls" | "sdk", minify = false): Promise<string> {
  return bundleWorker({ entryPoints: [path(`./handlers/${name}.ts`)], minify });
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
