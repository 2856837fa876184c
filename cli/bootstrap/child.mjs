// Runs one child process, passes signals on to it and always waits for its end, so that nothing is left behind.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/** npm, the shell and the terminal may each deliver the same signal; within this time they count as one. */
const SAME_SIGNAL_MS = 1000;
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
  const child = spawn(file, args, options);
  /** @type {NodeJS.Signals | null} */
  let received = null;
  const stopForwarding = forwardSignals(child, (signal) => (received = signal));
  child.stdout?.on("data", (chunk) => onOutput?.(chunk));
  child.stderr?.on("data", (chunk) => onOutput?.(chunk));
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) =>
        resolve({ exitCode: signal ? signalExitCode(signal) : (code ?? 1), signal: received ?? signal }),
      );
    });
  } finally {
    stopForwarding();
  }
}

/** @param {NodeJS.Signals} signal */
export function signalExitCode(signal) {
  return 128 + constants.signals[signal];
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {(signal: NodeJS.Signals) => void} onSignal
 */
function forwardSignals(child, onSignal) {
  let lastMs = 0;
  let seen = 0;
  const handlers = FORWARDED.map((signal) => {
    const handler = () => {
      const nowMs = Date.now();
      if (nowMs - lastMs < SAME_SIGNAL_MS) return;
      lastMs = nowMs;
      onSignal(signal);
      // A terminal sends Ctrl-C to the child as well; a second copy would look like an impatient user.
      const fromTerminal = signal === "SIGINT" && process.stdin.isTTY && seen++ === 0;
      if (!fromTerminal) child.kill(signal);
    };
    process.on(signal, handler);
    return /** @type {const} */ ([signal, handler]);
  });
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
