// Runs one child process, forwards signals to it and always waits until it ends, so that no process is left over.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/** npm, the shell and the terminal may each deliver the same signal; within this time they count as one. */
const SAME_SIGNAL_MS = 1000;
const PARENT_LOOK_MS = 250;
const FORWARDED = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @param {(chunk: Buffer) => void} [onOutput] takes stdout and stderr where they are piped
 * @returns {Promise<{ exitCode: number, signal: NodeJS.Signals | null }>} the child's exit code, 128 + n after signal n;
 *   `signal` is the one that was passed on or ended the child
 */
export async function runChild(file, args, options, onOutput) {
  /** @type {NodeJS.Signals | null} */
  let received = null;
  // Register before the child exists: a signal while it starts must not end only the parent.
  const stopListening = listen((signal) => {
    received = signal;
    child.kill(signal);
  });
  const child = spawn(file, args, options);
  child.stdout?.on("data", (chunk) => onOutput?.(chunk));
  child.stderr?.on("data", (chunk) => onOutput?.(chunk));
  try {
    return await new Promise((resolve, reject) => {
      child
        .once("error", reject)
        .once("close", (code, signal) =>
          resolve({ exitCode: signal ? signalExitCode(signal) : (code ?? 1), signal: received ?? signal }),
        );
    });
  } finally {
    stopListening();
  }
}

/** @param {NodeJS.Signals} signal */
export function signalExitCode(signal) {
  return 128 + constants.signals[signal];
}

/**
 * @param {(signal: NodeJS.Signals) => void} onSignal called once per signal, however often it was delivered
 * @returns {() => void} stops listening
 */
function listen(onSignal) {
  let lastMs = 0;
  const receive = (/** @type {NodeJS.Signals} */ signal) => {
    const nowMs = Date.now();
    if (nowMs - lastMs < SAME_SIGNAL_MS) return;
    lastMs = nowMs;
    onSignal(signal);
  };
  for (const signal of FORWARDED) process.on(signal, receive);
  const parentWatch = watchParent(() => receive("SIGTERM"));
  return () => {
    clearInterval(parentWatch);
    for (const signal of FORWARDED) process.off(signal, receive);
  };
}

/**
 * npm stops its script with a signal to the shell in between, and some shells end without forwarding it.
 * @param {() => void} onGone
 */
function watchParent(onGone) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_LOOK_MS);
  return timer;
}
