/** The entry of `audit-forwarder`: connects the program to the process. */
import { runProgram } from "./program.ts";
import { processIo } from "./run/io.ts";

// A reader such as `head` may close the pipe early; that is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await runProgram(process.argv.slice(2), process.env, processIo);
