/**
 * Brings records out of the isolate. Records that wait at the same time share a message, but no request ever awaits another's
 * promise: each has its own timers, and makes and sends whatever waits when they ring. A record that was taken by a request which
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

/** Records of one isolate that may wait at once; more are lost, with a line in the log. Our choice. */
const WAITING_MAX = 2_000;
/** UTF-8 bytes of records in a message: packed, which may make them a third longer, they stay below `MESSAGE_MAX_BYTES`. */
const SHARED_MAX_BYTES = 350_000;
/** The response leaves within this time, so that what is computed after it costs the caller nothing (measured). Our choice. */
const LEAVING_MS = 10;
/** After which a record that another request is to send looks whether it was: by then a slow queue has answered too. Our choice. */
const LOOK_AFTER_MS = 400;
/** First and longest pause between two looks at a record that did not get out. Our choice. */
const PAUSE_FIRST_MS = 200;
const PAUSE_MAX_MS = 3_000;
/** Margin above the time that two paths may take, after which a taken record counts as left behind. */
const TAKEN_MARGIN_MS = 1_000;

/** The records of a request, to be made once the response has left. */
export interface Draft {
  /** The event id of the first. */
  readonly id: () => string;
  /** It may wait and ride with others: a delay must not hold back records that need none, nor what is asked for at once wait. */
  readonly shares?: boolean;
  /** It shares, and another request may make it: it is exactly one record, and nothing of its own request has to be awaited. */
  readonly plain?: boolean;
  make(): Promise<readonly AuditRecord[]>;
}

interface Waiting extends Draft {
  made?: AuditRecord;
  takenUntilMs: number;
  out: boolean;
}

function waitingOf(draft: Draft, made?: AuditRecord): Waiting {
  return { ...draft, ...(made && { made, id: () => made.id }), takenUntilMs: 0, out: false };
}

export type ShipperOptions = Pick<Options, "coalesceMs" | "maxRecords" | "timeoutMs" | "holdMs">;

export interface Shipper {
  /** Sends the records of one request at once, each path within `pathMs`; false where no path took one of them. */
  now(records: readonly AuditRecord[], pathMs: number): Promise<boolean>;
  /** Makes and sends records, together with others where it may wait; keeps trying for `holdMs`, then logs it as lost. */
  ship(draft: Draft, log: GatewayLog): Promise<void>;
}

/** The shipper of one policy entry of one isolate. */
export function makeShipper(
  outlet: Outlet,
  options: ShipperOptions,
  ports: Pick<Ports, "nowMs" | "timer" | "deflate">,
): Shipper {
  const waiting = new Set<Waiting>();
  const leavingMs = Math.min(LEAVING_MS, options.coalesceMs);
  /** Whose request sends next for all that have come, so that no other may take it, when, and how many those are. */
  let gatherer: Waiting | undefined;
  let gatheredAtMs = 0;
  let gathered = 0;
  let lost = 0;

  async function ship(draft: Draft, log: GatewayLog): Promise<void> {
    if (draft.plain) return shipOne(waitingOf(draft), log);
    await sleep(ports, leavingMs);
    const records = await draft.make();
    await Promise.all(records.map((made) => shipOne(waitingOf(draft, made), log)));
  }

  async function shipOne(own: Waiting, log: GatewayLog): Promise<void> {
    if (waiting.size >= WAITING_MAX) return lose(own, log);
    waiting.add(own);
    const endMs = ports.nowMs() + options.holdMs;
    if (own.shares) await gather(own);
    for (let pauseMs = PAUSE_FIRST_MS; !own.out; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      if (!isTaken(own)) {
        // Again at once where it was too much for the message that went.
        if (outlet.mayAsk() && (await sendWith(own))) continue;
        if (!isTaken(own) && ports.nowMs() >= endMs) return lose(own, log);
      }
      await sleep(ports, Math.min(pauseMs, Math.max(endMs - ports.nowMs(), PAUSE_FIRST_MS)));
    }
  }

  /**
   * Waits for others. The first of a message gathers for `coalesceMs`, unless another fills the message before, and sends. The rest
   * look after that whether it did: to be woken costs more than what is to be done then.
   */
  function gather(own: Waiting): Promise<void> {
    const nowMs = ports.nowMs();
    gathered = nowMs < gatheredAtMs ? gathered + 1 : 1;
    const isLast = gathered >= options.maxRecords;
    if (gathered > 1 && !isLast) return sleep(ports, gatheredAtMs - nowMs + LOOK_AFTER_MS);
    const waitMs = isLast ? leavingMs : options.coalesceMs;
    gatheredAtMs = isLast ? 0 : nowMs + waitMs;
    gatherer = own;
    return sleep(ports, waitMs);
  }

  /** Takes what waits beside `own`, oldest first, and sends it. */
  async function sendWith(own: Waiting): Promise<boolean> {
    let room = options.maxRecords;
    const taken = [...waiting].filter((one) => one === own || (own.shares && isFree(one) && --room > 0));
    const untilMs = ports.nowMs() + 2 * options.timeoutMs + TAKEN_MARGIN_MS;
    for (const one of taken) one.takenUntilMs = untilMs;
    const records = await Promise.all(taken.map(madeOf));
    // More than they have on the wire.
    while (utf8Bytes(JSON.stringify(records)) > SHARED_MAX_BYTES) {
      records.pop();
      for (const one of taken.splice(records.length)) one.takenUntilMs = 0;
    }
    const sent = await outlet.send(await messageOf(records, ports.deflate), options.timeoutMs);
    for (const one of taken) {
      one.out = sent;
      one.takenUntilMs = 0;
      if (sent) waiting.delete(one);
    }
    return sent;
  }

  const isTaken = (one: Waiting) => ports.nowMs() < one.takenUntilMs;
  const isFree = (one: Waiting) => one.shares && !isTaken(one) && (one !== gatherer || ports.nowMs() >= gatheredAtMs);

  function lose(one: Waiting, log: GatewayLog): void {
    lost += 1;
    waiting.delete(one);
    log.error(
      `audit-log: record ${one.id()} is lost: neither QStash nor the worker takes messages; ${lost} lost so far`,
    );
  }

  return { ship, now: (records, pathMs) => sendNow(outlet, records, options.maxRecords, pathMs) };
}

async function sendNow(
  outlet: Outlet,
  records: readonly AuditRecord[],
  maxRecords: number,
  pathMs: number,
): Promise<boolean> {
  const messages: (readonly AuditRecord[])[] = [];
  for (let at = 0; at < records.length; at += maxRecords) messages.push(records.slice(at, at + maxRecords));
  const sent = await Promise.all(messages.map(async (one) => outlet.send(await messageOf(one), pathMs, true)));
  return sent.every(Boolean);
}

async function madeOf(one: Waiting): Promise<AuditRecord> {
  if (one.made) return one.made;
  const [made] = await one.make();
  if (!made) throw new Error("a plain draft makes one record");
  return (one.made = made);
}

/** So many records are deflated; fewer are not worth the CPU time that it takes (measured). Our choice. */
const DEFLATE_MIN_RECORDS = 10;

/** Few records stay readable; where the runtime cannot deflate, so do many. */
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
