/** Clock, randomness, network and hashes. The core receives them as arguments, so that it is pure and can be simulated. */
import type { Deflate } from "../shared/packed.ts";
import type { Hmac } from "../shared/pseudonym.ts";

/** The answer to one request. A network error or a timeout throws instead. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

export interface Ports {
  nowMs(): number;
  random(bytes: number): Uint8Array;
  /** Calls back after `ms`; returns a function that cancels it. */
  timer(ms: number, callback: () => void): () => void;
  post(url: string, headers: Record<string, string>, body: string, timeoutMs: number): Promise<Reply>;
  readonly hmac: Hmac;
  /** Hashes bytes, or a string in UTF-8. */
  sha256(data: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /** Absent if the runtime cannot deflate. Messages are larger then. */
  readonly deflate?: Deflate | undefined;
}

/** Waits for `ms` on the given timers. */
export function sleep(ports: Pick<Ports, "timer">, ms: number): Promise<void> {
  return new Promise((resolve) => ports.timer(ms, resolve));
}

/** Resolves to the promise's value, or to undefined after `ms`. Leaves no timer behind. */
export function within<T>(ports: Pick<Ports, "timer">, ms: number, promise: Promise<T> | T): Promise<T | void> {
  const late = Promise.withResolvers<void>();
  const cancel = ports.timer(ms, late.resolve);
  return Promise.race([promise, late.promise]).finally(cancel);
}

/** The real ports, of any runtime with the standard web APIs. */
export function webPorts(): Ports {
  return {
    nowMs: () => Date.now(),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    timer: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    post,
    hmac: signer(),
    sha256: async (data) => {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    },
    deflate: typeof CompressionStream === "undefined" ? undefined : deflate,
  };
}

async function deflate(text: string): Promise<Uint8Array> {
  const { readable, writable } = new CompressionStream("deflate-raw");
  const writer = writable.getWriter();
  // Costs half as much as a response's body and a pipe (measured).
  const [packed] = await Promise.all([
    new Response(readable).arrayBuffer(),
    writer.write(new TextEncoder().encode(text)),
    writer.close(),
  ]);
  return new Uint8Array(packed);
}

async function post(url: string, headers: Record<string, string>, body: string, timeoutMs: number): Promise<Reply> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
  // The signal bounds the body too: an answer that never ends is worthless.
  return { status: response.status, text: await response.text() };
}

/** Own name, because Node's types have no global `CryptoKey`. */
type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Caches the imported keys: requests of one isolate may share plain values, but not promises. */
function signer(): Hmac {
  const keys = new Map<Uint8Array, SigningKey>();
  return async (secret, text) => {
    let key = keys.get(secret);
    if (!key) {
      const algorithm = { name: "HMAC", hash: "SHA-256" };
      key = await crypto.subtle.importKey("raw", secret as Uint8Array<ArrayBuffer>, algorithm, false, ["sign"]);
      keys.set(secret, key);
    }
    return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
  };
}
