/** Runs once before the tests: bundles the worker, which takes as much processor time as its start. More than a hundred tests start it. */
import type { TestProject } from "vitest/node";
import { bundleWorker } from "../../worker/build.ts";
import { writeBuiltFile } from "./built-file.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The file with the worker's readable module. */
    workerFile: string;
  }
}

/** Vitest calls it. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide("workerFile", await writeBuiltFile("worker", await bundleWorker()));
}
