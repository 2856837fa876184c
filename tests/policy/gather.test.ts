import { describe, expect, it } from "vitest";
import type { Ports } from "../../policy/ports.ts";
import type { Failover } from "../../policy/failover.ts";
import { type Shipment, makeShipper, RANK } from "../../policy/shipper.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { TestGateway } from "./support/gateway.ts";
import { START_MS, World } from "./support/world.ts";

const OPTIONS = { coalesceMs: 50, maxRecords: 20, timeoutMs: 3_000, holdMs: 15_000 };

const RECORD: Omit<AuditRecord, "id"> = {
  stage: "outcome",
  occurredAtMs: START_MS,
  action: "a",
  actor: { id: "anonymous", type: "anonymous" },
  targets: [],
  method: "GET",
  route: "/",
  outcome: "success",
  assurance: "best-effort",
  gateway: { isolateId: "i", policyVersion: "1" },
  sequence: 1,
};

/** A gateway whose world counts what the policy asks for. */
function counted(world: World, options: Readonly<Record<string, unknown>>, more: Partial<Ports> = {}) {
  const counts = { timers: 0, packed: 0 };
  const ports: Ports = {
    ...world.ports,
    timer: (ms, callback) => ((counts.timers += 1), world.ports.timer(ms, callback)),
    deflate: async (text) => ((counts.packed += 1), (await world.ports.deflate?.(text)) ?? new Uint8Array()),
    ...more,
  };
  return { counts, gateway: new TestGateway(Object.assign(Object.create(world) as World, { ports }), options) };
}

describe("the work after a response", () => {
  it("is two timers, the watchdog's and one more, and a promise for both", async () => {
    const world = new World();
    const { counts, gateway } = counted(world, OPTIONS);
    for (let i = 0; i < 12; i++) {
      const { background } = await gateway.run();
      expect(background).toHaveLength(1);
      await world.advance(4);
    }
    await world.advance(5_000);
    expect(counts).toEqual({ timers: 24, packed: 1 });
    expect(world.pendingTimers).toBe(0);
  });

  it("is the same where the queue is slow", async () => {
    const world = new World();
    world.queue = { afterMs: 300, reply: { status: 200, text: '{"messageId":"m"}' } };
    const { counts, gateway } = counted(world, OPTIONS);
    for (let i = 0; i < 8; i++) await gateway.run();
    await world.advance(5_000);
    // Each looks once or twice more whether its message is through.
    expect(counts.timers).toBeLessThanOrEqual(8 * 4);
    expect(world.posts).toHaveLength(1);
  });

  it("packs no message that no path may take, and wakes each record a few times only", async () => {
    const world = new World();
    world.queue = "hang";
    world.spill = "hang";
    const { counts, gateway } = counted(world, { ...OPTIONS, timeoutMs: 1_000 });
    for (let i = 0; i < 400; i++) {
      await gateway.run();
      await world.advance(100);
    }
    await world.advance(30_000);
    expect(counts.packed).toBeLessThanOrEqual(world.posts.length);
    expect(counts.timers / 400).toBeLessThan(12);
  });
});

describe("records that are gathered", () => {
  const sentBy = (world: World) =>
    new Map(world.posts.flatMap(({ atMs, body }) => idsIn(body).map((id) => [id, atMs - START_MS] as const)));

  function shipperOf(world: World, options: Partial<typeof OPTIONS> = {}) {
    const bornMs = new Map<string, number>();
    const failover: Failover = {
      mayAsk: () => true,
      describe: () => "QStash takes messages",
      send: async (message) => (await world.ports.post("queue", {}, message.body, 1_000)).status < 300,
    };
    const shipper = makeShipper(failover, { ...OPTIONS, ...options }, { ...world.ports, deflate: undefined });
    const ship = (id: string, more: Partial<Shipment> = {}) => {
      bornMs.set(id, world.nowMs - START_MS);
      const make = () => Promise.resolve([{ ...RECORD, id }]);
      return shipper.ship({ id: () => id, rank: RANK.anonymous, shares: true, plain: true, make, ...more }, console);
    };
    return { ship, bornMs };
  }

  it("leave in `coalesceMs`, whoever came when, and those of a full message at once", async () => {
    const world = new World();
    const { ship, bornMs } = shipperOf(world, { maxRecords: 10 });
    for (let i = 0; i < 200; i++) {
      void ship(`r${i}`);
      await world.advance(i % 40 < 20 ? 1 : 9);
    }
    await world.advance(1_000);
    const waits = [...sentBy(world)].map(([id, atMs]) => atMs - (bornMs.get(id) ?? Infinity));
    expect(waits).toHaveLength(200);
    expect(Math.max(...waits)).toBeLessThanOrEqual(OPTIONS.coalesceMs);
    // Where records come every ms, ten of them fill a message and leave 10 ms after the last.
    expect(waits.filter((ms) => ms <= 20).length).toBeGreaterThan(80);
    expect(world.posts.length).toBeLessThan(40);
  });

  it("leave in time where another's retry takes the records around them", async () => {
    const world = new World();
    world.queue = (call) => (call === 0 ? { status: 500, text: "" } : { status: 200, text: '{"messageId":"m"}' });
    const { ship } = shipperOf(world);
    void ship("left");
    // Its first try fails at 50 ms, its next is at 250 ms, in the middle of what the others gather.
    await world.advance(220);
    void ship("alone");
    await world.advance(20);
    void ship("first");
    await world.advance(20);
    void ship("after");
    await world.advance(1_000);
    const sent = sentBy(world);
    expect(["left", "alone", "first", "after"].map((id) => sent.get(id))).toEqual([230, 230, 290, 290]);
  });

  it("leave after 10 ms where none came shortly before, and wait for others once they come often", async () => {
    const world = new World();
    const { ship, bornMs } = shipperOf(world);
    const gaps = [0, 1_000, 26, 25, 40, 1_000];
    for (const [i, gapMs] of gaps.entries()) {
      await world.advance(gapMs);
      void ship(`r${i}`);
    }
    await world.advance(1_000);
    const waits = gaps.map((_, i) => (sentBy(world).get(`r${i}`) ?? Infinity) - (bornMs.get(`r${i}`) ?? 0));
    // The first of an isolate waits, because nothing is known of what follows.
    expect(waits).toEqual([50, 10, 10, 50, 10, 10]);
  });

  it("are sent by their own request, where the one that gathers dies", async () => {
    const world = new World();
    const timer = world.ports.timer.bind(world.ports);
    let timers = 0;
    Object.assign(world.ports, {
      timer: (ms: number, callback: () => void) => ((timers += 1) === 1 ? () => {} : timer(ms, callback)),
    });
    const { ship } = shipperOf(world);
    void ship("dies");
    await world.advance(10);
    void ship("lives");
    await world.advance(1_000);
    expect(sentBy(world).get("lives")).toBe(450);
    // The next that gathers takes along what the dead one has left.
    void ship("next");
    await world.advance(100);
    expect([...sentBy(world).keys()].toSorted()).toEqual(["dies", "lives", "next"]);
  });

  it("are made by whoever sends them, but for one that waits for its own request", async () => {
    const world = new World();
    const { ship } = shipperOf(world);
    void ship("plain");
    const never = ship("waits", { plain: false, make: () => new Promise<never>(() => {}) });
    await world.advance(100);
    expect([...sentBy(world)]).toEqual([["plain", 50]]);
    void never;
  });
});

function idsIn(body: string): readonly string[] {
  return (JSON.parse(body) as { readonly records: readonly { readonly id: string }[] }).records.map(({ id }) => id);
}
