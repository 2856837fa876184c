/** The worker of the package: built once, with a mark where a deploy puts the team's schema versions. */
import type { Plugin } from "esbuild";
import { uploadedWorker, type UploadedWorker } from "../worker/build.ts";

/** `cli/deploy/worker-files.ts` replaces it. */
const LOCK_MARK = "@@audit-schemas.lock.json@@";

/** The bundler must not read the lock as a constant, so the worker parses it when it starts. */
const lockMark: Plugin = {
  name: "lock mark",
  setup: (bundle) => {
    bundle.onLoad({ filter: /audit-schemas\.lock\.json$/ }, () => ({
      contents: `export default JSON.parse("${LOCK_MARK}");`,
      loader: "js",
    }));
  },
};

/** The worker's module as the package holds it. */
export function packagedWorker(): Promise<UploadedWorker> {
  return uploadedWorker({ plugins: [lockMark] });
}
