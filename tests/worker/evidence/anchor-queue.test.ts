/** Anchors that fail are tried again, and never lost. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Anchors, type Anchor } from "../../../worker/evidence/anchors.ts";
import { LogStore } from "../../../worker/evidence/log-store.ts";
import { isStamped, stampRequest } from "../../../worker/evidence/time-stamp.ts";
import { sha256 } from "../../../worker/ledger/leaf.ts";
import { toHex } from "../../../shared/bytes.ts";
import { memorySql } from "../support/world.ts";

const DAY_MS = 86_400_000;

function anchors(): Anchors {
  return new Anchors(new LogStore(memorySql(), sha256).sql);
}

describe("anchors", () => {
  beforeEach(() => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
  });

  it("are tried again later and later, at least once an hour, until they succeed", async () => {
    const queue = anchors();
    let nowMs = 0;
    queue.add(["webhook"], 1, "note", nowMs);
    const waits: number[] = [];
    for (let tries = 0; tries < 9; tries++) {
      await queue.run(
        () => Promise.reject(new Error("http_503")),
        () => nowMs,
      );
      waits.push(((queue.nextMs() ?? 0) - nowMs) / 60_000);
      expect(queue.failing()).toEqual({ kind: "webhook", sinceMs: 0 });
      nowMs = queue.nextMs() ?? 0;
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    await queue.run(
      () => Promise.resolve(),
      () => nowMs,
    );
    expect(queue.nextMs()).toBeUndefined();
    expect(queue.failing()).toBeUndefined();
  });

  it("do not wait for one another: the newest goes first, and one that fails holds up none", async () => {
    const queue = anchors();
    for (const size of [1, 2, 3]) queue.add(["time_stamp", "webhook"], size, `note ${size}`, size);
    const sent: string[] = [];
    const send = ({ kind, size }: Anchor) => {
      sent.push(`${kind} ${size}`);
      return kind === "webhook" ? Promise.reject(new Error("network")) : Promise.resolve();
    };
    await queue.run(send, () => 10);
    await queue.run(send, () => 10);
    expect(sent).toEqual([3, 2, 1].flatMap((size) => [`time_stamp ${size}`, `webhook ${size}`]));
  });

  it("tell WorkOS of the first checkpoint of a day only", async () => {
    const queue = anchors();
    const sizes: number[] = [];
    const times = [DAY_MS + 1, DAY_MS + 2, 2 * DAY_MS - 1, 2 * DAY_MS, 2 * DAY_MS + 5];
    for (const [size, atMs] of times.entries()) queue.add(["event"], size, "note", atMs);
    await queue.run(
      ({ size }) => Promise.resolve(void sizes.push(size)),
      () => 3 * DAY_MS,
    );
    expect(sizes.toSorted((left, right) => left - right)).toEqual([0, 3]);
  });
});

describe("a time stamp", () => {
  const hash = sha256(new TextEncoder().encode("note"));

  it("is asked for as RFC 3161 defines it", () => {
    const request = toHex(stampRequest(hash, Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7)));
    const imprint = `3031300d060960864801650304020105000420${toHex(hash)}`;
    expect(request).toBe(`3043020101${imprint}020840010203040506070101ff`);
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["a page", new TextEncoder().encode("<html>")],
    ["a refusal", Uint8Array.of(0x30, 37, 0x30, 3, 2, 1, 2, ...hash)],
    ["a stamp over something else", Uint8Array.of(0x30, 37, 0x30, 3, 2, 1, 0, ...hash.toReversed())],
    ["one cut short", Uint8Array.of(0x30, 99, 0x30, 3, 2, 1, 0, ...hash)],
  ])("is not taken from %s", (_, answer) => {
    expect(isStamped(answer, hash)).toBe(false);
  });
});
