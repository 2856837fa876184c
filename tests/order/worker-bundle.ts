/** Runs once before the tests: bundles the worker, which takes as much processor time as its start. More than a hundred tests start it. */
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import type { TestProject } from "vitest/node";
import { bundleWorker } from "../../worker/build.ts";
import { writeBuiltFile } from "./built-file.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The file with the worker's readable module. */
    workerFile: string;
    /** The same with a clock that tests move. */
    movableWorkerFile: string;
  }
}

const support = (name: string) => fileURLToPath(new URL(`../worker/support/${name}`, import.meta.url));

const movableClock: Plugin = {
  name: "movable-clock",
  setup: (plugins) => {
    const path = support("movable-clock.workerd.ts");
    plugins.onResolve({ filter: /^\.\/clock\.ts$/ }, ({ importer }) =>
      /[\\/]worker[\\/]env\.ts$/.test(importer) ? { path } : null,
    );
  },
};

/** Vitest calls it. */
export default async function setup(project: TestProject): Promise<void> {
  const entryPoints = [support("movable-worker.workerd.ts")];
  const [code, movable] = await Promise.all([bundleWorker(), bundleWorker({ entryPoints, plugins: [movableClock] })]);
  project.provide("workerFile", await writeBuiltFile("worker", code));
  project.provide("movableWorkerFile", await writeBuiltFile("movable-worker", movable));
}
