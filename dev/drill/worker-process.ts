/** The worker as a separate process, which a drill can kill: `node dev/drill/worker-process.ts` with its options as JSON on stdin. */
import { text } from "node:stream/consumers";
import { setInterval } from "node:timers/promises";
import { startWorker, type WorkerOptions } from "../worker.ts";

/** A drill takes minutes, not hours, so the cron runs every second instead of every five minutes. */
const CRON_EVERY_MS = 1000;

const options = JSON.parse(await text(process.stdin)) as WorkerOptions;
const worker = await startWorker(options);
console.log(`worker on ${worker.url}`);
for await (const _ of setInterval(CRON_EVERY_MS)) {
  await worker.scheduled().catch((error: unknown) => console.error(`cron: ${String(error)}`));
}
