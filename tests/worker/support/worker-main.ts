/** The worker in a process of its own, so that a test can kill it with all its children. Prints one line once it is ready. */
import { readFile } from "node:fs/promises";
import { startWorker, type WorkerOptions } from "../../../dev/worker.ts";

const [file = "", options = "{}"] = process.argv.slice(2);
const worker = await startWorker({ ...(JSON.parse(options) as WorkerOptions), code: await readFile(file, "utf8") });
process.stdout.write(`${worker.url}\n`);
