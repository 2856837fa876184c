import { setTimeout as sleep } from "node:timers/promises";

/** Waits for a state; fails with what `explain` says when it does not come. */
export async function waitUntil(
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
  explain: () => string = () => "",
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`the state did not come within ${timeoutMs} ms: ${explain()}`);
    await sleep(10);
  }
}
