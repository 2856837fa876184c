/** Web Crypto that answers at once and draws from the seed: the real one answers from threads, in an order that no seed fixes. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Random } from "../random.ts";

type Bytes = ArrayBuffer | ArrayBufferView;

interface Key {
  readonly secret: Uint8Array;
}

export function makeCrypto(random: () => Random) {
  return {
    getRandomValues: (bytes: Uint8Array) => random().fillBytes(bytes),
    randomUUID: () => Buffer.from(random().fillBytes(new Uint8Array(16))).toString("hex"),
    subtle: {
      digest: (_algorithm: unknown, data: Bytes) => Promise.resolve(bufferOf(sha256(view(data)))),
      importKey: (_format: string, secret: Bytes, _algorithm: unknown, extractable: boolean, usages: string[]) =>
        Promise.resolve({
          [Symbol.toStringTag]: "CryptoKey",
          type: "secret",
          algorithm: { name: "HMAC", hash: { name: "SHA-256" } },
          extractable,
          usages,
          secret: view(secret),
        }),
      verify: (_algorithm: unknown, key: Key, signature: Bytes, data: Bytes) => {
        const expected = hmac(key.secret, view(data));
        const given = view(signature);
        return Promise.resolve(given.length === expected.length && timingSafeEqual(given, expected));
      },
      timingSafeEqual: (left: Bytes, right: Bytes) => timingSafeEqual(view(left), view(right)),
    },
    DigestStream,
  };
}

export function sha256(bytes: Uint8Array | string): Buffer {
  return createHash("sha256").update(bytes).digest();
}

export function hmac(secret: Uint8Array | string, bytes: Uint8Array | string): Buffer {
  return createHmac("sha256", secret).update(bytes).digest();
}

/** As workerd has it. https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#constructors */
class DigestStream {
  readonly digest: Promise<ArrayBuffer>;
  readonly #hash = createHash("sha256");
  #done: (digest: ArrayBuffer) => void = () => undefined;

  constructor() {
    this.digest = new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  getWriter() {
    return {
      write: (bytes: Uint8Array) => Promise.resolve(void this.#hash.update(bytes)),
      close: () => Promise.resolve(this.#done(bufferOf(this.#hash.digest()))),
    };
  }
}

function view(data: Bytes): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** A secret for a run that nothing outside it needs. */
export function webhookKey(random: Random): string {
  return `whsec_${Buffer.from(random.fillBytes(new Uint8Array(32))).toString("base64")}`;
}
