/**
 * Brings records out of the isolate. Records that wait at the same time share a message, but no request ever awaits another's
 * promise: each has its own timers, and takes whatever waits when they ring. A record whose message was taken by a request that
 * died is taken again by its own.
 */
import { utf8Bytes } from "../shared/bytes.ts";
import { type Deflate, packMessage } from "../shared/packed.ts";
import { deduplicationId, publishDelaySeconds } from "../shared/publish-headers.ts";
import type { AuditRecord } from "../shared/record.ts";
import { encodeMessage } from "../shared/wire.ts";
import type { GatewayLog } from "./gateway.ts";
import type { Options } from "./options.ts";
import type { Outlet } from "./outlet.ts";
import type { Outgoing } from "./paths.ts";
import { type Ports, sleep } from "./ports.ts";

/** Records of one isolate that may wait at once; more are lost, with a line in the log. Our choice: about 1 MB. */
const WAITING_MAX = 2_000;
/** UTF-8 bytes of records in a message: packed, which may make them a third longer, they stay below `MESSAGE_MAX_BYTES`. */
const SHARED_MAX_BYTES = 350_000;
/** First and longest pause between two looks at a record that another request has taken, or that did not get out. */
const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 2_000;
/** Margin above the time that two paths may take, after which a taken record counts as left behind. */
const TAKEN_MARGIN_MS = 1_000;

interface Waiting {
  readonly record: AuditRecord;
  readonly bytes: number;
  readonly sinceMs: number;
  takenUntilMs: number;
  out: boolean;
}

export type ShipperOptions = Pick<Options, "coalesceMs" | "maxRecords" | "timeoutMs" | "holdMs">;

export interface Shipper {
  /** Sends one record alone and at once, each path within `pathMs`; false where no path took it. */
  now(record: AuditRecord, pathMs: number): Promise<boolean>;
  /** Sends a record, together with others where it may wait; keeps trying for `holdMs`, then logs it as lost. */
  ship(record: AuditRecord, log: GatewayLog): Promise<void>;
}

/** The shipper of one policy entry of one isolate. */
export function makeShipper(
  outlet: Outlet,
  options: ShipperOptions,
  ports: Pick<Ports, "nowMs" | "timer" | "deflate">,
): Shipper {
  const waiting = new Set<Waiting>();
  let lost = 0;

  async function ship(record: AuditRecord, log: GatewayLog): Promise<void> {
    const own: Waiting = {
      record,
      // More than it has on the wire.
      bytes: utf8Bytes(JSON.stringify(record)),
      sinceMs: ports.nowMs(),
      takenUntilMs: 0,
      out: false,
    };
    if (waiting.size >= WAITING_MAX) return lose(own, log);
    waiting.add(own);
    if (mayShare(own) && countFree() < options.maxRecords) await sleep(ports, options.coalesceMs);
    for (let pauseMs = PAUSE_FIRST_MS; !own.out; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      if (ports.nowMs() >= own.takenUntilMs && (await sendWith(own))) return;
      const last = ports.nowMs() + pauseMs > own.sinceMs + options.holdMs;
      if (!own.out && last && ports.nowMs() >= own.takenUntilMs) return lose(own, log);
      if (!own.out) await sleep(ports, pauseMs);
    }
  }

  /** Takes what waits beside `own`, oldest first, and sends it. */
  async function sendWith(own: Waiting): Promise<boolean> {
    const taken = take(own);
    const untilMs = ports.nowMs() + 2 * options.timeoutMs + TAKEN_MARGIN_MS;
    for (const one of taken) one.takenUntilMs = untilMs;
    const message = await messageOf(
      taken.map(({ record }) => record),
      ports.deflate,
    );
    const sent = await outlet.send(message, options.timeoutMs);
    for (const one of taken) {
      one.out = sent;
      one.takenUntilMs = 0;
      if (sent) waiting.delete(one);
    }
    return sent;
  }

  function take(own: Waiting): readonly Waiting[] {
    if (!mayShare(own)) return [own];
    const taken = [own];
    let bytes = own.bytes;
    for (const one of waiting) {
      if (taken.length >= options.maxRecords) break;
      if (one === own || !isFree(one) || bytes + one.bytes > SHARED_MAX_BYTES) continue;
      taken.push(one);
      bytes += one.bytes;
    }
    return taken;
  }

  const isFree = (one: Waiting) => mayShare(one) && ports.nowMs() >= one.takenUntilMs;
  const countFree = () => [...waiting].filter(isFree).length;

  function lose(one: Waiting, log: GatewayLog): void {
    lost += 1;
    waiting.delete(one);
    log.error(
      `audit-log: record ${one.record.id} is lost: neither QStash nor the worker takes messages; ${lost} lost so far`,
    );
  }

  return { ship, now: async (record, pathMs) => outlet.send(await messageOf([record]), pathMs, true) };
}

/** A message with a delay must not hold back records that need none, and what is asked for at once must not wait. */
function mayShare({ record }: Waiting): boolean {
  return record.stage === "outcome" && record.assurance === "best-effort";
}

/** One record stays readable, as packing would hardly make it smaller; where the runtime cannot deflate, so do several. */
async function messageOf(records: readonly AuditRecord[], deflate?: Deflate): Promise<Outgoing> {
  const message = encodeMessage(records);
  const packed = deflate && records.length > 1 ? await packMessage(message, deflate).catch(() => undefined) : undefined;
  return {
    body: packed ?? JSON.stringify(message),
    deduplicationId: deduplicationId(records),
    delaySeconds: publishDelaySeconds(records),
  };
}
