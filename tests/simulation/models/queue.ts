/**
 * A model of QStash: keeps what it has accepted, delivers at least once, retries as the message asks, and puts what has failed into
 * its dead-letter queue for a few days. Pacing is left out: no run has enough messages for it. See facts in dev/queue/README.md.
 */
import type { VirtualTime } from "../../../bench/virtual-time.ts";
import { nextDelay } from "../../../dev/queue/delivery/backoff.ts";
import { hmac, sha256 } from "../host/crypto.ts";
import type { HttpReply, HttpRequest } from "../network.ts";
import type { Random } from "../random.ts";

const DEFAULT_RETRIES = 3;

export interface Message {
  readonly id: string;
  readonly url: string;
  readonly body: string;
  readonly createdMs: number;
  readonly retries: number;
  readonly retryDelay: string | undefined;
  readonly timeoutMs: number;
  readonly failureCallback: string | undefined;
  readonly flowKey: string | undefined;
  readonly label: string | undefined;
  retried: number;
}

export interface DeadMessage {
  readonly dlqId: string;
  readonly message: Message;
  readonly status: number;
  readonly atMs: number;
}

interface QueuePorts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly deliver: (request: HttpRequest, timeoutMs: number) => Promise<HttpReply>;
  /** Told once for each message that is kept, before its sender hears of it. */
  readonly accepted: (message: Message) => void;
  readonly deduplicationMs: number;
  readonly dlqRetentionMs: number;
  /** Chance that a delivered message is delivered again. */
  readonly duplicate: () => boolean;
  /** Extra wait before a delivery, which changes the order of messages. */
  readonly jitterMs: () => number;
  readonly losesCallback: () => boolean;
}

interface NewMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class Queue {
  keys = { current: "sig_sim_1", next: "sig_sim_2" };
  readonly pausedKeys = new Set<string>();
  dead: DeadMessage[] = [];
  readonly #held: { readonly key: string; readonly release: () => void }[] = [];
  readonly #keys = new Set<string>();
  readonly #known = new Map<string, { readonly messageId: string; readonly atMs: number }>();
  readonly #open = new Set<Message>();
  readonly #log: Message[] = [];
  readonly #ports: QueuePorts;
  #count = 0;

  constructor(ports: QueuePorts) {
    this.#ports = ports;
  }

  /** Messages that were neither delivered nor given up. */
  get open(): readonly Message[] {
    return [...this.#open];
  }

  /** Messages of the label's log, newest first. It forgets none, so that it also tells of those that were delivered. */
  log(from: number, until: number): readonly Message[] {
    return this.#log.toReversed().slice(from, until);
  }

  publish({ url, headers, body }: NewMessage): { messageId: string; deduplicated: boolean } {
    const nowMs = this.#ports.time.now();
    const deduplicationId = headers["upstash-deduplication-id"];
    const known = deduplicationId === undefined ? undefined : this.#known.get(deduplicationId);
    if (known && nowMs - known.atMs < this.#ports.deduplicationMs)
      return { messageId: known.messageId, deduplicated: true };
    const message = this.#keep({ url, headers, body });
    if (deduplicationId !== undefined) this.#known.set(deduplicationId, { messageId: message.id, atMs: nowMs });
    this.#attemptIn(message, secondsOf(headers["upstash-delay"]) * 1_000 + this.#ports.jitterMs());
    return { messageId: message.id, deduplicated: false };
  }

  /** As `POST /v2/dlq/retry` does it: a new message with the old body and headers. */
  retryDead(dlqId: string): void {
    const found = this.dead.find((entry) => entry.dlqId === dlqId);
    if (!found) return;
    this.removeDead([dlqId]);
    const message = { ...found.message, id: this.#nextId("msg"), retried: 0 };
    this.#admit(message);
    this.#attemptIn(message, 0);
  }

  removeDead(dlqIds: readonly string[]): void {
    this.dead = this.dead.filter((entry) => !dlqIds.includes(entry.dlqId));
  }

  /** What its retention has not removed yet. */
  listDead(): readonly DeadMessage[] {
    const nowMs = this.#ports.time.now();
    this.dead = this.dead.filter(({ atMs }) => nowMs - atMs < this.#ports.dlqRetentionMs);
    return this.dead;
  }

  resume(key: string): void {
    this.pausedKeys.delete(key);
    const held = this.#held.splice(0);
    this.#held.push(...held.filter((one) => one.key !== key));
    for (const one of held) if (one.key === key) one.release();
  }

  rotateKeys(): void {
    this.keys = { current: this.keys.next, next: this.#nextId("sig_sim") };
  }

  #keep({ url, headers, body }: NewMessage): Message {
    const message: Message = {
      id: this.#nextId("msg"),
      url,
      body,
      createdMs: this.#ports.time.now(),
      retries: Number(headers["upstash-retries"] ?? DEFAULT_RETRIES),
      retryDelay: headers["upstash-retry-delay"],
      timeoutMs: secondsOf(headers["upstash-timeout"] ?? "900s") * 1_000,
      failureCallback: headers["upstash-failure-callback"],
      flowKey: headers["upstash-flow-control-key"],
      label: headers["upstash-label"],
      retried: 0,
    };
    this.#admit(message);
    return message;
  }

  /** The keys that messages were published with, as QStash lists them. */
  flowKeys(): readonly { flowControlKey: string; waitListSize: number; isPaused: boolean }[] {
    return [...this.#keys].map((key) => ({
      flowControlKey: key,
      waitListSize: this.#held.filter((one) => one.key === key).length,
      isPaused: this.pausedKeys.has(key),
    }));
  }

  #admit(message: Message): void {
    if (message.flowKey !== undefined) this.#keys.add(message.flowKey);
    this.#open.add(message);
    this.#log.push(message);
    this.#ports.accepted(message);
  }

  #nextId(prefix: string): string {
    this.#count += 1;
    return `${prefix}_${this.#count}`;
  }

  #attemptIn(message: Message, delayMs: number): void {
    this.#ports.time.after(delayMs, () => {
      if (message.flowKey !== undefined && this.pausedKeys.has(message.flowKey)) {
        const release = () => this.#attemptIn(message, this.#ports.random.int(0, 500));
        this.#held.push({ key: message.flowKey, release });
      } else void this.#attempt(message);
    });
  }

  async #attempt(message: Message): Promise<void> {
    const reply = await this.#post(message);
    if (reply && reply.status >= 200 && reply.status < 300) {
      // At least once: the success may be forgotten.
      if (this.#ports.duplicate()) return this.#attemptIn(message, this.#ports.random.int(100, 60_000));
      this.#open.delete(message);
      return;
    }
    const isFinal = reply?.status === 489 && reply.headers?.["upstash-nonretryable-error"] === "true";
    if (isFinal || message.retried >= message.retries) return this.#giveUp(message, reply);
    const delayMs = nextDelay({
      retried: message.retried,
      retryDelay: message.retryDelay,
      header: { "retry-after": [reply?.headers?.["retry-after"] ?? ""] },
      now: this.#ports.time.now(),
    });
    message.retried += 1;
    this.#attemptIn(message, delayMs + this.#ports.jitterMs());
  }

  async #post(message: Message): Promise<HttpReply | undefined> {
    const headers = {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(message.body)),
      "upstash-message-id": message.id,
      "upstash-retried": String(message.retried),
      "upstash-signature": this.#sign(message),
    };
    try {
      return await this.#ports.deliver(
        { method: "POST", url: message.url, headers, body: message.body },
        message.timeoutMs,
      );
    } catch {
      return undefined;
    }
  }

  #sign({ url, body }: Message): string {
    const iat = Math.floor(this.#ports.time.now() / 1_000);
    const hash = `${sha256(body).toString("base64url")}=`;
    const claims = { iss: "Upstash", sub: url, exp: iat + 300, nbf: 0, iat, jti: this.#nextId("jwt"), body: hash };
    const text = [{ alg: "HS256", typ: "JWT" }, claims].map(encode).join(".");
    return `${text}.${hmac(this.keys.current, text).toString("base64url")}`;
  }

  #giveUp(message: Message, reply: HttpReply | undefined): void {
    this.#open.delete(message);
    const status = reply?.status ?? 0;
    const entry: DeadMessage = { dlqId: this.#nextId("dlq"), message, status, atMs: this.#ports.time.now() };
    this.dead.push(entry);
    if (message.failureCallback === undefined || this.#ports.losesCallback()) return;
    const body = JSON.stringify({
      status,
      retried: message.retried,
      maxRetries: message.retries,
      dlqId: entry.dlqId,
      sourceMessageId: message.id,
      sourceBody: Buffer.from(message.body).toString("base64"),
      url: message.url,
      createdAt: message.createdMs,
    });
    const callback = { url: message.failureCallback, headers: { "upstash-retries": String(message.retries) }, body };
    this.#attemptIn(this.#keep(callback), this.#ports.jitterMs());
  }
}

function encode(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString("base64url");
}

function secondsOf(text: string | undefined): number {
  return text === undefined ? 0 : Number.parseInt(text, 10);
}
