/** The worker that is measured waits for nobody. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { startSink } from "../../bench/sink.ts";
import { startBareWorkerd } from "../../bench/worker/bare-workerd.ts";
import { makeBodies, signedMessage } from "../../bench/worker/messages.ts";
import { scriptOf } from "../../bench/worker/scripts.ts";
import { BURST_EVENTS } from "../../worker/monitor/token-bucket.ts";

const RECORDS = 100;
/** As `TURN_MAX_MS` of the worker, in seconds. */
const TURN_MAX_S = 240;
/** At one event a second, the worker's own monitor refuses the last of so many: its turn is too far away. */
const MESSAGES = Math.ceil((BURST_EVENTS + TURN_MAX_S) / RECORDS) + 1;

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

it("delivers more than a burst at once, whatever the rate", async () => {
  const sink = await startSink();
  stops.push(() => sink.stop());
  const stateDir = await mkdtemp(join(tmpdir(), "bench-worker-"));
  stops.push(() => rm(stateDir, { recursive: true, force: true }));
  const ours = await scriptOf("ours", sink.url);
  const slow = { ...ours, bindings: { ...ours.bindings, AUDIT_RATE: "1" } };
  const { urls, ...workerd } = await startBareWorkerd([slow], stateDir);
  stops.push(() => workerd.stop());
  const [url = ""] = urls;
  const deliver = async (published: string) => {
    const { headers, body } = await signedMessage(published, "ours", url, Date.now());
    const answer = await fetch(`${url}/deliver`, { method: "POST", headers, body });
    expect(answer.status, await answer.text()).toBe(200);
  };
  await Promise.all((await makeBodies(MESSAGES, RECORDS)).map(deliver));
  expect((await sink.counts()).workos).toBe(MESSAGES * RECORDS);
});
