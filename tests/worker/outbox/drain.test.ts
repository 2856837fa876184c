import { beforeEach, describe, expect, it } from "vitest";
import type { PublishResult } from "../../../worker/qstash/publication.ts";
import { backoffMs, BATCH, drainStep } from "../../../worker/outbox/drain.ts";
import { OutboxStore, type Waiting } from "../../../worker/outbox/store.ts";
import { memorySql } from "../support/world.ts";

const TAKEN: PublishResult = { ok: true, messageId: "msg_1", deduplicated: false };
const message = (n: number) => ({ deduplicationId: `d${n}`, body: `{"n":${n}}`, delaySeconds: 0, receivedMs: n });

let store: OutboxStore;
let published: string[];
let refused: string[];
beforeEach(() => {
  store = new OutboxStore(memorySql());
  published = [];
  refused = [];
});

const fill = (count: number) => Array.from({ length: count }, (_, n) => store.add(message(n + 1)));
const step = (answer: (waiting: Waiting) => PublishResult) =>
  drainStep(store, {
    publish: (waiting) => {
      published.push(waiting.deduplicationId);
      return Promise.resolve(answer(waiting));
    },
    refuse: ({ deduplicationId }, reason) => {
      refused.push(`${deduplicationId} ${reason}`);
      return Promise.resolve();
    },
  });
const waitingNow = () => store.oldest(1_000).map(({ deduplicationId }) => deduplicationId);

describe("a step of the outbox", () => {
  it("publishes the oldest first, one batch at most, and keeps the others", async () => {
    fill(BATCH + 2);
    expect(await step(() => TAKEN)).toEqual({ failure: null });
    expect(published).toEqual(Array.from({ length: BATCH }, (_, n) => `d${n + 1}`));
    expect(waitingNow()).toEqual([`d${BATCH + 1}`, `d${BATCH + 2}`]);
  });

  it.each([
    [{ ok: false, reason: "network" }, "network"],
    [{ ok: false, reason: "timeout" }, "timeout"],
    [{ ok: false, status: 429, reason: "http_429" }, "http_429"],
    [{ ok: false, status: 401, reason: "http_401" }, "http_401"],
    [{ ok: false, status: 412, reason: "http_412" }, "http_412"],
    [{ ok: false, status: 503, reason: "http_503" }, "http_503"],
    [{ ok: false, status: 200, reason: "no_message_id" }, "no_message_id"],
  ] as const)("stops at %j and keeps the message and all behind it", async (answer, failure) => {
    fill(3);
    expect(await step(({ deduplicationId }) => (deduplicationId === "d2" ? answer : TAKEN))).toEqual({ failure });
    expect(published).toEqual(["d1", "d2"]);
    expect(waitingNow()).toEqual(["d2", "d3"]);
  });

  it.each([400, 413, 422])(
    "hands a message that the queue refuses for itself (%i) to the dead letters and goes on",
    async (status) => {
      fill(3);
      const answer = { ok: false, status, reason: `http_${status}` } as const;
      expect(await step(({ deduplicationId }) => (deduplicationId === "d2" ? answer : TAKEN))).toEqual({
        failure: null,
      });
      expect(refused).toEqual([`d2 queue_refuses http_${status}`]);
      expect(waitingNow()).toEqual([]);
    },
  );
});

it("the same message twice is stored once", () => {
  fill(2);
  store.add({ ...message(1), receivedMs: 99 });
  expect(store.status()).toEqual({ waiting: 2, oldestMs: 1 });
});

it.each([
  [0, 1_000],
  [1, 2_000],
  [2, 4_000],
  [8, 256_000],
  [9, 300_000],
  [1_000, 300_000],
])("after %i failures the next step comes in %i ms", (failures, expected) => {
  expect(backoffMs(failures)).toBe(expected);
});
