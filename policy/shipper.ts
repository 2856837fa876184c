/**
 * Sends records out of the isolate. Records that wait at the same time share a message, but no request ever awaits another's
 * promise: each has its own timers, and sends the waiting records when they fire. If the request that took a record ends early, the
 * record's own request takes it back.
 */
import { utf8Bytes } from "../shared/bytes.ts";
import { type Deflate, packMessage } from "../shared/packed.ts";
import { deduplicationId, publishDelaySeconds } from "../shared/qstash-headers.ts";
import type { AuditRecord } from "../shared/record.ts";
import { encodeMessage } from "../shared/wire.ts";
import type { GatewayLog } from "./gateway.ts";
import type { Options } from "./options.ts";
import type { Failover } from "./failover.ts";
import type { Outgoing } from "./paths.ts";
import { type Ports, sleep } from "./ports.ts";

/** From this number of waiting records on, messages use the spill first, so that a slow queue does not fill the memory. Our choice. */
const WAITING_MANY = 1_000;
/** UTF-8 bytes of records in a message: even packed, which may make them a third longer, they stay below `MESSAGE_MAX_BYTES`. */
const SHARED_MAX_BYTES = 350_000;
/** The response is sent within this time, so that later computation costs the caller nothing (measured). Our choice. */
const LEAVING_MS = 10;
/** If the gap to the previous record exceeds this part of `coalesceMs`, a record hardly waits for others. Our choice. */
const QUIET_PART = 0.5;
/** Time after which a request checks that another has sent its record: even a slow queue has answered by then. Our choice. */
const LOOK_AFTER_MS = 400;
/** First and longest pause between two checks of an unsent record. Our choice. */
const PAUSE_FIRST_MS = 200;
const PAUSE_MAX_MS = 3_000;
/** Added to the time that two paths may take; after that, a taken record counts as abandoned. */
const TAKEN_MARGIN_MS = 1_000;

/** The rank of a record. If memory is full, a lower rank is dropped for a higher one; higher ranks are also sent first. */
export const RANK = { refusedStranger: 0, anonymous: 1, signedIn: 2 } as const;
export type Rank = (typeof RANK)[keyof typeof RANK];

/**
 * How many waiting records of an isolate a new record of each rank may join. Above that it is lost, with a log line, unless a
 * record of a lower rank is dropped for it. The steps reserve places for higher ranks, because a record that is being sent cannot
 * give up its place. Our choice.
 */
const WAITING_MAX: Readonly<Record<Rank, number>> = { 0: 1_400, 1: 1_700, 2: 2_000 };

/** The records of a request, to be made once the response has left. */
export interface Shipment {
  /** The event id of the first. */
  readonly id: () => string;
  readonly rank: Rank;
  /** It may wait for others and share their message. False for a delayed record or one that must be sent at once. */
  readonly shares?: boolean;
  /** It shares, and another request may make it, because it is exactly one record and needs nothing from its own request. */
  readonly plain?: boolean;
  make(): Promise<readonly AuditRecord[]>;
}

interface Waiting extends Shipment {
  made?: AuditRecord;
  takenUntilMs: number;
  out: boolean;
}

function waitingOf(shipment: Shipment, made?: AuditRecord): Waiting {
  return { ...shipment, ...(made && { made, id: () => made.id }), takenUntilMs: 0, out: false };
}

type ShipperOptions = Pick<Options, "coalesceMs" | "maxRecords" | "timeoutMs" | "holdMs">;

export interface Shipper {
  /** Sends the records of one request at once. Each path gets `pathMs`. Resolves to false if neither path accepted one of them. */
  now(records: readonly AuditRecord[], pathMs: number): Promise<boolean>;
  /** Makes and sends records, together with others if they may wait. Retries for `holdMs`, then logs a record as lost. */
  ship(shipment: Shipment, log: GatewayLog): Promise<void>;
}

/** The shipper of one policy entry of one isolate. */
export function makeShipper(
  failover: Failover,
  options: ShipperOptions,
  ports: Pick<Ports, "nowMs" | "timer" | "deflate">,
): Shipper {
  const waiting = new Set<Waiting>();
  const gatherer = makeGatherer(options, ports);
  let lost = 0;

  async function ship(shipment: Shipment, log: GatewayLog): Promise<void> {
    if (shipment.plain) return shipOne(waitingOf(shipment), log);
    await sleep(ports, Math.min(LEAVING_MS, options.coalesceMs));
    const records = await shipment.make();
    await Promise.all(records.map((made) => shipOne(waitingOf(shipment, made), log)));
  }

  async function shipOne(own: Waiting, log: GatewayLog): Promise<void> {
    if (!makeRoom(own, log)) return lose(own, log, fullFor(own));
    waiting.add(own);
    const endMs = ports.nowMs() + options.holdMs;
    if (own.shares) await gatherer.gather(own);
    for (let pauseMs = PAUSE_FIRST_MS; !own.out; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      if (!isTaken(own)) {
        // Again at once if the message had no room for it.
        if (failover.mayAsk() && (await sendWith(own))) continue;
        if (own.out) return;
        if (!isTaken(own) && ports.nowMs() >= endMs) return lose(own, log, `it waited ${options.holdMs} ms`);
      }
      await sleep(ports, Math.min(pauseMs, Math.max(endMs - ports.nowMs(), PAUSE_FIRST_MS)));
    }
  }

  /** True if there is room, or a record of a lower rank was dropped. */
  function makeRoom(own: Waiting, log: GatewayLog): boolean {
    if (waiting.size < WAITING_MAX[own.rank]) return true;
    let victim: Waiting | undefined;
    for (const one of waiting) if (one.rank < (victim ?? own).rank && !isTaken(one)) victim = one;
    if (!victim) return false;
    victim.out = true;
    lose(victim, log, fullFor(own));
    return true;
  }

  /** Takes the waiting records together with `own` and sends them: highest rank first, oldest first within a rank. */
  async function sendWith(own: Waiting): Promise<boolean> {
    const others = own.shares ? [...waiting].filter((one) => one !== own && isFree(one)) : [];
    if (others.length >= options.maxRecords) others.sort((a, b) => b.rank - a.rank);
    const taken = [own, ...others.slice(0, options.maxRecords - 1)];
    const untilMs = ports.nowMs() + 2 * options.timeoutMs + TAKEN_MARGIN_MS;
    for (const one of taken) one.takenUntilMs = untilMs;
    const records = await Promise.all(taken.map(madeOf));
    // Longer than in the message.
    while (utf8Bytes(JSON.stringify(records)) > SHARED_MAX_BYTES) {
      records.pop();
      for (const one of taken.splice(records.length)) one.takenUntilMs = 0;
    }
    const first = waiting.size >= WAITING_MANY ? "spill" : "queue";
    const sent = await failover.send(await messageOf(records, ports.deflate), options.timeoutMs, { first });
    for (const one of taken) {
      one.out = sent;
      one.takenUntilMs = 0;
      if (sent) waiting.delete(one);
    }
    return sent;
  }

  const isTaken = (one: Waiting) => ports.nowMs() < one.takenUntilMs;
  const isFree = (one: Waiting) => one.shares && !isTaken(one) && !gatherer.keeps(one);

  function lose(one: Waiting, log: GatewayLog, why: string): void {
    lost += 1;
    waiting.delete(one);
    log.error(`audit-log: record ${one.id()} is lost: ${why}; ${failover.describe()}; ${lost} lost so far`);
  }

  return { ship, now: (records, pathMs) => sendNow(failover, records, options.maxRecords, pathMs) };
}

interface Gatherer {
  /**
   * Waits for others. The first record of a message waits `coalesceMs`, unless another fills the message before that, and then
   * sends. It sends sooner if the previous record arrived so long ago that others are unlikely to come in time. The others check
   * later that it was sent, because waking them costs more than the check.
   */
  gather(own: Waiting): Promise<void>;
  /** True for the record whose request is about to send the next message, so that no other may take it. */
  keeps(one: Waiting): boolean;
}

function makeGatherer({ coalesceMs, maxRecords }: ShipperOptions, ports: Pick<Ports, "nowMs" | "timer">): Gatherer {
  let sender: Waiting | undefined;
  let sendsAtMs = 0;
  let gathered = 0;
  let newestMs = Infinity;
  return {
    keeps: (one) => one === sender && ports.nowMs() < sendsAtMs,
    gather(own) {
      const nowMs = ports.nowMs();
      const isQuiet = nowMs - newestMs > coalesceMs * QUIET_PART;
      newestMs = nowMs;
      gathered = nowMs < sendsAtMs ? gathered + 1 : 1;
      const isLast = gathered >= maxRecords;
      if (gathered > 1 && !isLast) return sleep(ports, sendsAtMs - nowMs + LOOK_AFTER_MS);
      const waitMs = isLast || isQuiet ? Math.min(LEAVING_MS, coalesceMs) : coalesceMs;
      sendsAtMs = isLast ? 0 : nowMs + waitMs;
      sender = own;
      return sleep(ports, waitMs);
    },
  };
}

const fullFor = ({ rank }: Waiting) => `${WAITING_MAX[rank]} records wait already`;

async function sendNow(
  failover: Failover,
  records: readonly AuditRecord[],
  maxRecords: number,
  pathMs: number,
): Promise<boolean> {
  const messages: (readonly AuditRecord[])[] = [];
  for (let at = 0; at < records.length; at += maxRecords) messages.push(records.slice(at, at + maxRecords));
  const sent = await Promise.all(
    messages.map(async (one) => failover.send(await messageOf(one), pathMs, { force: true })),
  );
  return sent.every(Boolean);
}

async function madeOf(one: Waiting): Promise<AuditRecord> {
  if (one.made) return one.made;
  const [made] = await one.make();
  if (!made) throw new Error("a plain shipment makes one record");
  return (one.made = made);
}

/** From this number on, records are deflated. For fewer, the CPU time costs more than the bytes (measured). Our choice. */
const DEFLATE_MIN_RECORDS = 10;

/** Encodes a message: plain JSON for few records, and for many if the runtime cannot deflate. */
async function messageOf(records: readonly AuditRecord[], deflate?: Deflate): Promise<Outgoing> {
  const message = encodeMessage(records);
  const packed =
    deflate && records.length >= DEFLATE_MIN_RECORDS
      ? await packMessage(message, deflate).catch(() => undefined)
      : undefined;
  return {
    body: packed ?? JSON.stringify(message),
    deduplicationId: deduplicationId(records),
    delaySeconds: publishDelaySeconds(records),
  };
}
