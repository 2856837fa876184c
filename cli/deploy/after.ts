/** After an upload: waits for the worker to answer, and lets `doctor` check the whole path. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "../../shared/errors.ts";
import type { Variables } from "./wrangler.ts";

/** Longest wait for a new workers.dev name, which usually resolves everywhere within seconds. Our choice. */
const HEALTH_WAIT_MS = 60_000;
const HEALTH_POLL_MS = 1_000;

/** Waits until `/health` answers at all; `doctor` judges the answer. Throws `timeout` after a minute. */
export async function waitForWorker(
  url: string,
  fetcher: (url: string, init: RequestInit) => Promise<Response> = fetch,
  waitMs = HEALTH_WAIT_MS,
  pollMs = HEALTH_POLL_MS,
): Promise<void> {
  const deadlineMs = Date.now() + waitMs;
  for (;;) {
    const answer = await fetcher(`${url}/health`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    // Cloudflare answers an unknown name with an HTML page instead of JSON.
    if (answer?.headers.get("content-type")?.includes("json")) return;
    if (Date.now() >= deadlineMs)
      throw new AuditError("timeout", `"${url}/health" does not answer; check the worker's route`);
    await sleep(pollMs);
  }
}

/** Runs `audit-forwarder doctor` on the deployed worker; returns its exit code, and its output if captured. */
export async function runDoctor(
  program: string,
  args: readonly string[],
  env: Variables,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = spawn(process.execPath, [program, "doctor", ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  return { exitCode, output };
}
