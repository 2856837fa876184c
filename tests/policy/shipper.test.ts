import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MESSAGE_MAX_BYTES } from "../../shared/limits.ts";
import type { Ports } from "../../policy/ports.ts";
import { recordsIn, World } from "./support/world.ts";
import { TestGateway } from "./support/gateway.ts";

const refused = { status: 503, text: "" };

describe("records that wait at the same time", () => {
  it("share a message, and the flow of messages falls with load", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 50, maxRecords: 20 });
    // 100 requests in a second, then 1,000 in the next.
    for (let i = 0; i < 100; i++) {
      await gateway.run();
      await world.advance(10);
    }
    await world.advance(1_000);
    const slow = world.posts.length;
    for (let i = 0; i < 1_000; i++) {
      await gateway.run();
      await world.advance(1);
    }
    await world.advance(1_000);
    expect(slow).toBeLessThanOrEqual(30);
    expect(world.posts.length - slow).toBeLessThanOrEqual(60);
    expect(new Set(world.records().map(({ id }) => id)).size).toBe(1_100);
  });

  it("go out alone where `coalesceMs` is 0, and at once where a message is full", async () => {
    const alone = new World();
    const gateway = new TestGateway(alone, { coalesceMs: 0 });
    await gateway.run();
    await alone.advance(0);
    expect(alone.posts).toHaveLength(1);

    const full = new World();
    const crowded = new TestGateway(full, { coalesceMs: 5_000, maxRecords: 3 });
    for (let i = 0; i < 3; i++) await crowded.run();
    await full.advance(20);
    expect(full.posts.map(({ body }) => recordsIn(body).length)).toEqual([3]);
  });

  it("are no more than `maxRecords` in a message", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 100, maxRecords: 4 });
    for (let i = 0; i < 10; i++) await gateway.run();
    await world.advance(1_000);
    expect(Math.max(...world.posts.map(({ body }) => recordsIn(body).length))).toBeLessThanOrEqual(4);
    expect(world.records()).toHaveLength(10);
  });

  it("are no more than `maxRecords` after an outage either", async () => {
    const world = new World();
    world.queue = "refuse";
    world.spill = "refuse";
    const gateway = new TestGateway(world, { coalesceMs: 100, maxRecords: 4 });
    for (let i = 0; i < 10; i++) await gateway.run();
    await world.advance(300);
    world.queue = { status: 200, text: '{"messageId":"m"}' };
    await world.advance(10_000);
    const sizes = world.posts.filter(({ accepted }) => accepted).map(({ body }) => recordsIn(body).length);
    expect(Math.max(...sizes)).toBe(4);
    expect(world.records()).toHaveLength(10);
  });

  it("are told apart by what is in them: the same records have the same deduplication id, others another", async () => {
    const world = new World();
    world.queue = (call) => (call < 2 ? { status: 500, text: "" } : { status: 200, text: '{"messageId":"m"}' });
    world.spill = refused;
    const gateway = new TestGateway(world, { coalesceMs: 20 });
    await gateway.run();
    await gateway.run();
    await world.advance(2_000);
    const ids = world.postsTo("queue").map(({ headers }) => headers["upstash-deduplication-id"]);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}_x2-/);
  });
});

describe("what a message looks like", () => {
  const send = async (requests: number, deflate: Ports["deflate"]) => {
    const world = new World();
    const ports: Ports = { ...world.ports, deflate };
    const gateway = new TestGateway(Object.assign(Object.create(world) as World, { ports }), { coalesceMs: 20 });
    for (let i = 0; i < requests; i++) await gateway.run();
    await world.advance(1_000);
    return { world, keys: world.posts.map(({ body }) => Object.keys(JSON.parse(body) as object)) };
  };
  const deflate = async (text: string) => deflateRawSync(text);

  it("packs ten records that share one, and leaves fewer as they are", async () => {
    expect((await send(10, deflate)).keys).toEqual([["v", "records", "d"]]);
    expect((await send(9, deflate)).keys).toEqual([["v", "g", "records"]]);
    expect((await send(1, deflate)).keys).toEqual([["v", "g", "records"]]);
  });

  it.each<[string, Ports["deflate"]]>([
    ["cannot deflate", undefined],
    ["throws", () => Promise.reject(new Error("out of memory"))],
    [
      "throws at once",
      () => {
        throw new Error("out of memory");
      },
    ],
    ["deflates to more than text can be made of", () => Promise.resolve(new Uint8Array(4_000_000))],
  ])("loses no record where the runtime %s: the message is plain", async (_name, broken) => {
    const { world, keys } = await send(12, broken);
    expect(keys).toEqual([["v", "g", "records"]]);
    expect(new Set(world.records().map(({ sequence }) => sequence)).size).toBe(12);
  });

  it("takes a record into one message only, while that is being packed and others come", async () => {
    const world = new World();
    const slow: Ports["deflate"] = (text) =>
      new Promise((resolve) => world.ports.timer(30, () => resolve(deflateRawSync(text))));
    const ports: Ports = { ...world.ports, deflate: slow };
    const gateway = new TestGateway(Object.assign(Object.create(world) as World, { ports }), { coalesceMs: 20 });
    for (let i = 0; i < 60; i++) {
      await gateway.run();
      await world.advance(i % 2);
    }
    await world.advance(1_000);
    const sequences = world.records().map(({ sequence }) => sequence);
    expect(sequences.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(world.posts.length).toBeGreaterThan(1);
    expect(world.posts.map(({ body }) => Object.keys(JSON.parse(body) as object))).toContainEqual([
      "v",
      "records",
      "d",
    ]);
  });

  it("stays within the limit in bytes, whatever language its texts are in and however badly they deflate", async () => {
    const world = new World();
    const ports: Ports = { ...world.ports, deflate: async (text) => deflateRawSync(text, { level: 0 }) };
    const options = { coalesceMs: 20, maxRecords: 100 };
    const gateway = new TestGateway(Object.assign(Object.create(world) as World, { ports }), {
      ...options,
      defaults: {
        metadata: Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`m${n}`, "$header.x-text"])),
      },
    });
    for (let i = 0; i < 100; i++)
      await gateway.run({ params: {}, headers: { "x-text": `${i}${"\u00e9".repeat(480)}` } });
    await world.advance(2_000);
    expect(world.records()).toHaveLength(100);
    const sizes = world.posts.map(({ body }) => Buffer.byteLength(body));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MESSAGE_MAX_BYTES);
    expect(Math.max(...sizes)).toBeGreaterThan(MESSAGE_MAX_BYTES / 2);
  });
});

describe("no request waits for another", () => {
  it("a hung publish holds up nobody else's", async () => {
    const world = new World();
    world.queue = (call) => (call === 0 ? "hang" : { status: 200, text: '{"messageId":"m"}' });
    const gateway = new TestGateway(world, { coalesceMs: 10 });
    const first = await gateway.run();
    await world.advance(20);
    const second = await gateway.run();
    await world.advance(50);
    await Promise.all(second.background);
    expect(world.records().map(({ sequence }) => sequence)).toEqual([2]);
    await world.advance(10_000);
    await Promise.all(first.background);
  });

  it("a record that was taken by a request which died is sent by its own", async () => {
    const world = new World();
    let takers = 0;
    const ports: Ports = {
      ...world.ports,
      // The first taker's context is gone: its promise never settles.
      post: (...args) => ((takers += 1) === 1 ? new Promise<never>(() => {}) : world.ports.post(...args)),
    };
    const gateway = new TestGateway(Object.assign(Object.create(world) as World, { ports }), {
      coalesceMs: 10,
      timeoutMs: 1_000,
    });
    await gateway.run();
    const other = await gateway.run();
    await world.advance(8_000);
    await Promise.all(other.background);
    expect(new Set(world.records().map(({ sequence }) => sequence))).toEqual(new Set([1, 2]));
  });
});

describe("while nothing takes a record", () => {
  it("a record is kept for `holdMs` and goes out when a path is back", async () => {
    const world = new World();
    world.queue = "refuse";
    world.spill = "refuse";
    const gateway = new TestGateway(world, { coalesceMs: 0, holdMs: 10_000 });
    await gateway.run();
    await world.advance(4_000);
    world.spill = { status: 202, text: "" };
    await world.advance(6_000);
    expect(world.records()).toHaveLength(1);
    expect(gateway.logs.join()).not.toContain("is lost");
  });

  it("a record that comes at the end of a long outage is not lost: the paths are asked again while it waits", async () => {
    const world = new World();
    world.queue = "refuse";
    world.spill = "refuse";
    const gateway = new TestGateway(world, { coalesceMs: 0 });
    const runFor = async (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        await gateway.run();
        await world.advance(1_000);
      }
    };
    await runFor(120);
    // The worst moment: a trial has just failed, and the pause after it is as long as it gets.
    for (let asked = world.posts.length; world.posts.length === asked;) await runFor(1);
    await world.advance(500);
    const last = await gateway.run();
    await world.advance(1);
    world.queue = { status: 200, text: '{"messageId":"m"}' };
    await world.advance(20_000);
    await Promise.all(last.background);
    expect(gateway.logs.join()).toContain("is lost");
    expect(world.records().length).toBeGreaterThan(0);
  });

  it("a record is lost in the end, with its event id and a count in the log, inside the platform's 30 s", async () => {
    const world = new World();
    world.queue = "hang";
    world.spill = "hang";
    const gateway = new TestGateway(world, { coalesceMs: 5_000, timeoutMs: 5_000, holdMs: 15_000 });
    const ran = await gateway.run({ headers: { "user-agent": "never-in-the-log" } });
    await world.advance(30_000);
    await Promise.all(ran.background);
    const lost = gateway.logs.filter((line) => line.includes("is lost"));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatch(/record [0-9a-f-]{36} is lost: .*; 1 lost so far$/);
    expect(gateway.logs.join()).not.toContain("never-in-the-log");
    expect(world.pendingTimers).toBe(0);
  });

  it("an outage costs little: the paths are left alone between trials", async () => {
    const world = new World();
    world.queue = "refuse";
    world.spill = "refuse";
    const gateway = new TestGateway(world, { coalesceMs: 0, holdMs: 1_000 });
    for (let i = 0; i < 200; i++) {
      await gateway.run();
      await world.advance(50);
    }
    await world.advance(30_000);
    // Two tries for each of three failures, and then one trial for each pause, on both paths.
    expect(world.posts.length).toBeLessThan(40);
  });

  it("no more than 1,700 of callers who are not signed in wait in memory", async () => {
    const world = new World();
    world.queue = "hang";
    world.spill = "hang";
    const gateway = new TestGateway(world, { coalesceMs: 5_000, maxRecords: 1, timeoutMs: 5_000 });
    for (let i = 0; i < 1_710; i++) await gateway.run();
    await world.advance(20);
    expect(gateway.logs.filter((line) => line.includes("is lost"))).toHaveLength(10);
  });
});
