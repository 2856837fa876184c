/** The worker in a process of its own, so that a test can kill it with all its children. Prints one line once it is ready. */
import { startWorker, type WorkerOptions } from "../../../dev/worker.ts";

const worker = await startWorker(JSON.parse(process.argv[2] ?? "{}") as WorkerOptions);
process.stdout.write(`${worker.url}\n`);
