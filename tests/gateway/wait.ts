import { setTimeout as sleep } from "node:timers/promises";

/** Long enough for a machine on which everything takes ten times as long. */
const PATIENCE_MS = 90_000;

/** Waits for a state; fails with what `explain` says when it does not come. */
export async function waitUntil(
  isTrue: () => boolean | Promise<boolean>,
  explain: () => string = () => "",
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`the state did not come within ${PATIENCE_MS} ms: ${explain()}`);
    await sleep(10);
  }
}
