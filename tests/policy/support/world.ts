/** The policy's ports under a virtual clock, with a network whose answers can be set for each path. */
import { createHash, createHmac } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import type { AuditRecord } from "../../../shared/record.ts";
import type { Ports, Reply } from "../../../policy/ports.ts";
import { decodeMessage } from "../../../worker/message/decoded-message.ts";

export type Answer = Reply | "hang" | "refuse" | { readonly afterMs: number; readonly reply: Reply };

interface Post {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly atMs: number;
  readonly accepted: boolean;
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** The worker's answer to a spilled message that is on disk. */
const STORED: Reply = { status: 202, text: "" };
export const ACCEPTED: Reply = { status: 200, text: '{"messageId":"msg_1"}' };
export const START_MS = Date.UTC(2026, 10, 24);

export class World {
  nowMs = START_MS;
  readonly posts: Post[] = [];
  /** What each path answers; it may be a function of the call's number, from 0. */
  queue: Answer | ((call: number) => Answer) = ACCEPTED;
  spill: Answer | ((call: number) => Answer) = STORED;
  #timers: Timer[] = [];
  #order = 0;
  #seed = 1;

  readonly ports: Ports = {
    nowMs: () => this.nowMs,
    random: (bytes) => Uint8Array.from({ length: bytes }, () => this.#random()),
    timer: (ms, callback) => this.#timer(ms, callback),
    post: (url, headers, body, timeoutMs) => this.#post(url, headers, body, timeoutMs),
    hmac: async (secret, text) => new Uint8Array(createHmac("sha256", secret).update(text).digest()),
    sha256: async (data) => new Uint8Array(createHash("sha256").update(data).digest()),
    // Not the platform's stream, which works beside this clock.
    deflate: async (text) => deflateRawSync(text),
  };

  /** Records of accepted messages, each once, in the order they were taken. */
  records(): AuditRecord[] {
    return this.posts.filter(({ accepted }) => accepted).flatMap(({ body }) => recordsIn(body));
  }

  postsTo(path: "queue" | "spill"): Post[] {
    return this.posts.filter(({ url }) => pathOf(url) === path);
  }

  /** Moves the clock, timer by timer, with everything that follows from each. */
  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    await settle();
    for (;;) {
      this.#timers.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const next = this.#timers[0];
      if (!next || next.atMs > endMs) break;
      this.#timers.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.nowMs = endMs;
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }

  #timer(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, order: (this.#order += 1), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  #post(url: string, headers: Record<string, string>, body: string, timeoutMs: number): Promise<Reply> {
    const path = pathOf(url);
    const set = path === "queue" ? this.queue : this.spill;
    const answer = typeof set === "function" ? set(this.postsTo(path).length) : set;
    const reply = typeof answer === "object" && "reply" in answer ? answer.reply : answer;
    const afterMs = typeof answer === "object" && "afterMs" in answer ? answer.afterMs : 0;
    const accepted =
      typeof reply === "object" && reply.status < 300 && (path === "spill" || reply.text.includes("messageId"));
    this.posts.push({ url, headers, body, atMs: this.nowMs, accepted: accepted && afterMs < timeoutMs });
    return new Promise((resolve, reject) => {
      if (reply === "refuse") reject(new TypeError("Network connection lost."));
      else if (reply === "hang" || afterMs >= timeoutMs) {
        this.#timer(timeoutMs, () => reject(new DOMException("The operation timed out", "TimeoutError")));
      } else if (afterMs > 0) this.#timer(afterMs, () => resolve(reply));
      else resolve(reply);
    });
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0;
    return (this.#seed >>> 16) & 255;
  }
}

/** The records of a message, as the worker reads them. */
export function recordsIn(body: string): readonly AuditRecord[] {
  const decoded = decodeMessage(Buffer.from(body));
  if (decoded.kind !== "message" || decoded.unreadable.length > 0) throw new Error(`unreadable: ${body}`);
  return decoded.records;
}

function pathOf(url: string): "queue" | "spill" {
  return url.endsWith("/ingest") ? "spill" : "queue";
}

/** Lets everything run that waits for nothing but other promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
