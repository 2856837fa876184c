/** Deliveries at the default rate, spread over all shards: time of each message, and CPU of each event. */
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { AuditError } from "../../shared/errors.ts";
import { LEDGER_SHARDS } from "../../shared/limits.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { cpuMicros } from "../process-cpu.ts";
import type { Sink } from "../sink.ts";
import { signedMessage } from "../worker/messages.ts";
import { recordsAt } from "./samples.ts";

/** `AUDIT_RATE` by default. */
const EVENTS_PER_SECOND = 80;
/** The worker writes its counters some seconds later, one row for many events, which is left out. */
const REST_MS = 100;

interface Target {
  readonly url: string;
  readonly pids: readonly number[];
}

/** What one round of messages took. */
export interface DeliveryRound {
  readonly latenciesMs: readonly number[];
  readonly cpuMicrosPerEvent: number;
}

/** Delivers so many events in messages of `records`; throws `internal` unless each arrives once. */
export async function measureDeliveries(
  { url, pids }: Target,
  sink: Sink,
  samples: readonly AuditRecord[],
  { events, records }: { readonly events: number; readonly records: number },
): Promise<DeliveryRound> {
  const messages = await makeMessages(url, samples, events / records, records);
  const arrivedBefore = (await sink.counts()).workos;
  const cpuBefore = await cpuMicros(pids);
  const pool = new Pool(url);
  const startMs = performance.now();
  const latenciesMs = await Promise.all(
    messages.map(async (message, index) => {
      const waitMs = startMs + (index * records * 1_000) / EVENTS_PER_SECOND - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      const sentMs = performance.now();
      const { statusCode, body } = await pool.request({ method: "POST", path: "/deliver", ...message });
      const text = await body.text();
      if (statusCode !== 200) throw new AuditError("internal", `a delivery was answered ${statusCode}: ${text}`);
      return performance.now() - sentMs;
    }),
  );
  await pool.close();
  await sleep(REST_MS);
  const cpuMicrosPerEvent = ((await cpuMicros(pids)) - cpuBefore) / events;
  const arrived = (await sink.counts()).workos - arrivedBefore;
  if (arrived !== events) throw new AuditError("internal", `${arrived} events of ${events} arrived`);
  return { latenciesMs, cpuMicrosPerEvent };
}

/** Each message is of another shard, as messages of many gateway isolates are. */
function makeMessages(url: string, samples: readonly AuditRecord[], messages: number, records: number) {
  const nowMs = Date.now();
  return Promise.all(
    Array.from({ length: messages }, (_, message) => {
      const span = { atMs: nowMs, shard: message % LEDGER_SHARDS, first: message * records, count: records };
      const body = JSON.stringify(encodeMessage(recordsAt(samples, span)));
      return signedMessage(body, "ours", url, nowMs);
    }),
  );
}
