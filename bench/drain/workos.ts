/** WorkOS on a virtual clock: it answers after a while, and refuses what goes over its limit. */
import { RateLimit } from "../../dev/workos/rate-limit.ts";
import type { WorkosReply } from "../../worker/workos.ts";
import type { VirtualTime } from "../virtual-time.ts";

/** WorkOS states 6,000 requests in 60 s for each API key, without a word on how they may be spread. https://workos.com/docs/reference/rate-limits */
export type Window = { readonly requests: number; readonly windowMs: number };
/** About what an API in the same region takes. Our assumption. */
export const ANSWER_MS = 100;

export interface VirtualWorkos {
  readonly send: (body: string, key: string) => Promise<WorkosReply>;
  /** Keys of the events that were stored, in order. */
  readonly stored: ReadonlyMap<string, number>;
  readonly refused: () => number;
}

export function virtualWorkos(time: VirtualTime, limit: Window): VirtualWorkos {
  const limiter = new RateLimit({ now: time.now });
  const stored = new Map<string, number>();
  let refused = 0;
  return {
    stored,
    refused: () => refused,
    send(_body, key) {
      const isOver = limiter.exceeded("key", limit);
      if (isOver) refused += 1;
      else stored.set(key, time.now());
      const answer: WorkosReply = isOver
        ? { answer: { kind: "response", status: 429, json: {}, retryAfter: null } }
        : { answer: { kind: "response", status: 200, json: { success: true } } };
      return new Promise((resolve) => time.after(ANSWER_MS, () => resolve(answer)));
    },
  };
}
