import { randomUUID } from "node:crypto";
import type { Options } from "../options.ts";
import type { Database } from "./database.ts";
import { addEvent } from "./events.ts";

/** A message as the queue works with it. */
export interface Message {
  /** Order of acceptance. */
  seq: number;
  id: string;
  lane: string;
  /** Retries already made. */
  retried: number;
  url: string;
  createdAt: number;
  notBefore: number;
  queueName: string | null;
  urlGroup: GroupMember | undefined;
  callerIp: string;
  options: Options;
  body: Uint8Array;
}

/** The URL group that a message was published to, and the name of its endpoint, if that has one. */
interface GroupMember {
  name: string;
  endpointName?: string | undefined;
}

/** The data for a new message. */
export interface NewMessage {
  url: string;
  options: Options;
  body: Uint8Array;
  queueName?: string | null | undefined;
  urlGroup?: GroupMember | undefined;
  callerIp: string;
}

export interface MessageRow {
  seq: number;
  id: string;
  lane: string;
  retried: number;
  url: string;
  queue: string | null;
  url_group: string | null;
  endpoint_name: string | null;
  caller_ip: string;
  created_at: number;
  not_before: number;
  options: string;
  body: Uint8Array;
}

const COLUMNS =
  "seq, id, lane, retried, url, queue, url_group, endpoint_name, caller_ip, created_at, not_before, options, body";
/** The default number of retries (upstash.com/docs/qstash/features/retry). */
export const DEFAULT_RETRIES = 3;

/** Where a message waits: in its queue, under its flow-control key, or alone. */
function laneOf(message: Pick<NewMessage, "options" | "queueName">): string {
  if (message.queueName) return `queue:${message.queueName}`;
  const key = message.options.flowControl?.key;
  return key === undefined ? "" : `flow:${key}`;
}

/** Stores a message with its labels and its CREATED entry; inside a write. */
export function insertMessage(database: Database, message: NewMessage, now: number): { id: string; lane: string } {
  const { options, url } = message;
  const id = `msg_${randomUUID().replaceAll("-", "")}`;
  const lane = laneOf(message);
  const notBefore = options.notBefore ?? now + (options.delayMs ?? 0);
  const { host, pathname } = new URL(url);
  const { id: seq } = database.run(
    `INSERT INTO message (id, state, lane, due_at, retried, url, host, path, flow_key, queue, url_group, endpoint_name,
       caller_ip, created_at, not_before, options, body)
     VALUES (?, 'pending', ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    lane,
    notBefore,
    url,
    host,
    pathname,
    options.flowControl?.key ?? null,
    message.queueName ?? null,
    message.urlGroup?.name ?? null,
    message.urlGroup?.endpointName ?? null,
    message.callerIp,
    now,
    notBefore,
    JSON.stringify(options),
    message.body,
  );
  for (const label of new Set(options.labels)) database.run("INSERT INTO label (label, seq) VALUES (?, ?)", label, seq);
  addEvent(database, { messageSeq: seq, time: now, state: "CREATED" });
  return { id, lane };
}

/** Returns a message that must exist. */
export function messageBySeq(database: Database, seq: number): Message {
  return toMessage(database.one<MessageRow>(`SELECT ${COLUMNS} FROM message WHERE seq = ?`, seq) as MessageRow);
}

/** A message that has not ended, or undefined. */
export function openMessage(database: Database, id: string): Message | undefined {
  const row = database.one<MessageRow>(`SELECT ${COLUMNS} FROM message WHERE id = ? AND ended_at IS NULL`, id);
  return row && toMessage(row);
}

/** Reads a row of the message table. */
export function toMessage(row: MessageRow): Message {
  return {
    seq: row.seq,
    id: row.id,
    lane: row.lane,
    retried: row.retried,
    url: row.url,
    createdAt: row.created_at,
    notBefore: row.not_before,
    queueName: row.queue,
    urlGroup:
      row.url_group === null ? undefined : { name: row.url_group, endpointName: row.endpoint_name ?? undefined },
    callerIp: row.caller_ip,
    options: JSON.parse(row.options) as Options,
    body: row.body,
  };
}

/** Lanes that hold a message that has not ended. */
export function openLanes(database: Database): string[] {
  return database
    .all<{ lane: string }>("SELECT DISTINCT lane FROM message WHERE ended_at IS NULL")
    .map((row) => row.lane);
}

/** Due messages of a free lane, longest due first. */
export function dueMessages(database: Database, lane: string, now: number, limit: number): number[] {
  return database
    .all<{ seq: number }>(
      "SELECT seq FROM message WHERE lane = ? AND state = 'pending' AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
      lane,
      now,
      limit,
    )
    .map((row) => row.seq);
}

/** When the next message of a free lane is due, or undefined when none waits. */
export function nextDueAt(database: Database, lane: string): number | undefined {
  return database.one<{ due_at: number }>(
    "SELECT due_at FROM message WHERE lane = ? AND state = 'pending' ORDER BY due_at, seq LIMIT 1",
    lane,
  )?.due_at;
}

/** The first messages of a queue in order of acceptance, including those under way: later ones must not overtake them. */
export function headOfQueue(database: Database, lane: string, parallelism: number): HeadRow[] {
  return database.all<HeadRow>(
    "SELECT seq, due_at, state FROM message WHERE lane = ? AND ended_at IS NULL ORDER BY seq LIMIT ?",
    lane,
    parallelism,
  );
}

interface HeadRow {
  seq: number;
  due_at: number;
  state: string;
}

/** How many messages of a lane are due and not under way. */
export function countDue(database: Database, lane: string, now: number): number {
  const sql = "SELECT count(*) AS n FROM message WHERE lane = ? AND state = 'pending' AND due_at <= ?";
  return (database.one<{ n: number }>(sql, lane, now) as { n: number }).n;
}

/** Ends a message: delivered, failed or cancelled; inside a write. */
export function endMessage(database: Database, seq: number, state: "delivered" | "cancelled", now: number): void {
  database.run("UPDATE message SET state = ?, ended_at = ? WHERE seq = ?", state, now, seq);
}

/** Resets messages that were under way when the queue was killed: the attempt was never counted. */
export function recoverInterrupted(database: Database): void {
  database.run("UPDATE message SET state = 'pending' WHERE ended_at IS NULL AND state = 'active'");
}
