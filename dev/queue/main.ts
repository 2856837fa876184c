import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { AuditError } from "../../shared/errors.ts";
import { startQueue } from "./server.ts";

/** Runs the development queue on its own until SIGINT or SIGTERM. */
async function main(): Promise<void> {
  const flags = yargs(hideBin(process.argv))
    .scriptName("queue")
    .usage("$0: a queue that speaks QStash's HTTP protocol, for laptops and tests; not for production")
    .option("port", { type: "number", default: 8080, describe: "port on 127.0.0.1; 0 takes a free one" })
    .option("path", { type: "string", default: ".audit-forwarder/queue.sqlite", describe: "SQLite file" })
    .option("token", { type: "string", describe: "default: the official development token" })
    .option("current-signing-key", { type: "string", describe: "default: the official development key" })
    .option("next-signing-key", { type: "string", describe: "default: the official development key" })
    .option("dedup-window", { type: "number", default: 600, describe: "seconds a deduplication id is remembered" })
    .option("max-retries", { type: "number", describe: "the plan's cap on Upstash-Retries; default none" })
    .option("quiet", { type: "boolean", default: false, describe: "no line for each attempt" })
    .strict()
    .version(false)
    .parseSync();
  const queue = await startQueue({
    port: flags.port,
    path: flags.path,
    token: flags.token,
    currentSigningKey: flags.currentSigningKey,
    nextSigningKey: flags.nextSigningKey,
    dedupWindowMs: flags.dedupWindow * 1000,
    maxRetries: flags.maxRetries,
    quiet: flags.quiet,
  });
  const stop = (): void => void queue.stop().then(() => process.exit(0));
  // Registered before the line that tells others that the queue is ready, because they may end it at once.
  process.once("SIGINT", stop).once("SIGTERM", stop);
  process.stdout.write(
    `QSTASH_URL=${queue.url} QSTASH_TOKEN=${queue.token} QSTASH_CURRENT_SIGNING_KEY=${queue.currentSigningKey} ` +
      `QSTASH_NEXT_SIGNING_KEY=${queue.nextSigningKey}\n`,
  );
}

main().catch((error: unknown) => {
  if (!(error instanceof AuditError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = 1;
});
