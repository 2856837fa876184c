/** Sealing: each delivered event gets into exactly one digest, whatever fails in between. */
import { describe, expect, it } from "vitest";
import { LogStore } from "../../../worker/evidence/log-store.ts";
import { sha256 } from "../../../worker/ledger/leaf.ts";
import { readLog } from "./reader.ts";
import { createEvidence, QUARTER_MS, randomOf, START_MS, type Faults } from "./world.ts";

/** Compares what the log holds with what was delivered. */
async function expectExactlyOnce(world: ReturnType<typeof createEvidence>): Promise<void> {
  const { events } = await readLog(world.files);
  const line = ({ id, organization, leaf }: { id: string; organization: string; leaf: string }) =>
    `${id} ${organization} ${leaf}`;
  expect(events.map(line).toSorted()).toEqual(world.delivered.map(line).toSorted());
}

describe("a quarter of an hour", () => {
  it("is sealed once it has ended, also when nothing was delivered in it", async () => {
    const world = createEvidence(2);
    world.claim(0, world.idAt(START_MS + 1_000, 0), "org_b", START_MS + 1_000);
    const [first, second] = [world.idAt(START_MS + 2_000, 0), world.idAt(START_MS + 3_000, 1)];
    for (const [shard, id, organization] of [
      [0, first, "org_b"],
      [1, second, "org_a"],
    ] as const) {
      world.claim(shard, id, organization, START_MS + 5_000);
      world.settle(shard, id, organization, START_MS + 5_100);
    }
    await world.seal(START_MS + QUARTER_MS - 1);
    expect(world.bucket.size).toBe(0);
    await world.seal(START_MS + QUARTER_MS);
    await world.seal(START_MS + 2 * QUARTER_MS);
    const { digests, size } = await readLog(world.files);
    expect(size).toBe(2);
    expect(digests[0]).toMatchObject({
      v: 1,
      number: 0,
      from: "2026-11-30T10:00:00.000Z",
      until: "2026-11-30T10:15:00.000Z",
      previous: null,
      organizations: [
        { id: "org_a", events: 1 },
        { id: "org_b", events: 1 },
      ],
    });
    expect(digests[1]).toMatchObject({ number: 1, from: "2026-11-30T10:15:00.000Z", organizations: [] });
    await expectExactlyOnce(world);
  });

  it("makes one digest for each quarter that was missed", async () => {
    const world = createEvidence(1);
    for (let quarter = 0; quarter < 10; quarter++) {
      const atMs = START_MS + quarter * QUARTER_MS + 60_000;
      const id = world.idAt(atMs, 0);
      world.claim(0, id, "org_a", atMs);
      world.settle(0, id, "org_a", atMs);
    }
    await world.seal(START_MS + 10 * QUARTER_MS, 4);
    await world.seal(START_MS + 10 * QUARTER_MS, 100);
    const { digests } = await readLog(world.files);
    expect(digests.map(({ organizations }) => organizations[0]?.events)).toEqual(Array(10).fill(1));
    await expectExactlyOnce(world);
  });

  it("makes several digests with the same period if it has more organizations than one can name", async () => {
    const world = createEvidence(1);
    for (let at = 0; at < 450; at++) {
      const id = world.idAt(START_MS + at, 0);
      const organization = at === 7 ? "org with / and ä" : `org_${"x".repeat(at % 90)}${at}`;
      world.claim(0, id, organization, START_MS + at);
      world.settle(0, id, organization, START_MS + at);
    }
    await world.seal(START_MS + QUARTER_MS);
    const { digests } = await readLog(world.files);
    expect(digests.map(({ from }) => from)).toEqual([digests[0]?.from, digests[0]?.from]);
    expect(digests.map(({ organizations }) => organizations.length).reduce((sum, count) => sum + count)).toBe(450);
    await expectExactlyOnce(world);
  });
});

it("fills bundles and tiles over the edge of 256 digests", async () => {
  const world = createEvidence(1);
  await world.seal(START_MS, 1);
  await world.seal(START_MS + 255 * QUARTER_MS, 255);
  for (const end of [256, 257]) {
    await world.seal(START_MS + end * QUARTER_MS);
    expect((await readLog(world.files)).size).toBe(end);
  }
});

describe("events that a slow clock adds to a quarter whose digest is planned already", () => {
  /** The bucket fails after the plan; then events come that still count for the quarter. */
  async function addAfterPlan(faults: Faults) {
    let isFailing = true;
    const world = createEvidence(1, {
      ...faults,
      around: (name, call) => (isFailing && name === "put" ? Promise.reject(new Error("no bucket")) : call()),
    });
    const deliver = (count: number, atMs: number) => {
      for (let at = 0; at < count; at++) {
        const id = world.idAt(atMs, 0);
        world.claim(0, id, "org_a", atMs);
        world.settle(0, id, "org_a", atMs);
      }
    };
    deliver(3, START_MS);
    await expect(world.seal(START_MS + QUARTER_MS)).rejects.toThrow("no bucket");
    deliver(30, START_MS + 1);
    isFailing = false;
    await world.seal(START_MS + 2 * QUARTER_MS);
    return world;
  }

  it("go into the next digest", async () => {
    const world = await addAfterPlan({});
    const { digests } = await readLog(world.files);
    expect(digests.map(({ organizations }) => organizations[0]?.events)).toEqual([3, 30]);
    await expectExactlyOnce(world);
  });

  it("would be lost if their shard closed the quarter for good", async () => {
    const world = await addAfterPlan({
      ports: (ports) => ({ ...ports, close: (shard, quarter) => ports.close(shard, quarter, true) }),
    });
    await expect(expectExactlyOnce(world)).rejects.toThrow("to deeply equal");
  });
});

const ORGANIZATIONS = ["org_a", "org_b", "org_c"];

/** A few hours of deliveries, sealings, crashes and restarts; everything from one seed. */
async function run(seed: number, planted: Faults = {}): Promise<void> {
  const random = randomOf(seed);
  const upTo = (most: number) => Math.floor(random() * most);
  const shards = 1 + upTo(3);
  const skews = Array.from({ length: shards }, () => (random() < 0.5 ? 0 : upTo(40 * 60_000) - 20 * 60_000));
  const trouble = random() < 0.2 ? 0 : random() * 0.2;
  let isHealthy = false;
  const world = createEvidence(shards, {
    ...planted,
    async around(_, call) {
      if (!isHealthy && random() < trouble) throw new Error("lost before");
      const result = await call();
      if (!isHealthy && random() < trouble) throw new Error("lost after");
      return result;
    },
  });
  const waiting: { shard: number; id: string; organization: string }[] = [];
  const isBusy = random() < 0.5;
  let nowMs = START_MS + upTo(QUARTER_MS);
  for (let step = 0; step < 80; step++) {
    nowMs += random() < 0.1 ? upTo(2 * QUARTER_MS) : upTo(60_000);
    const kind = random();
    const shard = upTo(shards);
    const atMs = nowMs + (skews[shard] ?? 0);
    if (kind < 0.6) {
      for (let count = isBusy ? upTo(12) : 1; count > 0; count--) {
        const ageMs = random() < 0.2 ? upTo(100 * 86_400_000) : upTo(20_000);
        const id = random() < 0.1 ? `evt-${seed}-${step}-${count}` : world.idAt(atMs - ageMs, shard);
        const item = { shard, id: random() < 0.1 ? `${id}:outcome` : id, organization: ORGANIZATIONS[upTo(3)] ?? "" };
        world.claim(shard, item.id, item.organization, atMs);
        if (random() < 0.2) world.settle(shard, item.id, item.organization, atMs, false);
        waiting.push(item);
      }
    }
    while (waiting.length > 0 && random() < 0.9) {
      const [item] = waiting.splice(upTo(waiting.length), 1);
      if (!item) break;
      const itemMs = nowMs + (skews[item.shard] ?? 0);
      world.settle(item.shard, item.id, item.organization, itemMs);
      if (random() < 0.1) world.settle(item.shard, item.id, item.organization, itemMs + 1);
    }
    if (kind > 0.75) world.restart(shard);
    if (kind > 0.55 && kind < 0.8) await world.seal(nowMs, 1 + upTo(4)).catch(() => undefined);
    // A bucket or a shard that fails for a while is just more of them; its sealings are made up for later.
  }
  isHealthy = true;
  await world.seal(nowMs + 3 * QUARTER_MS, 10_000);
  await expectExactlyOnce(world);
}

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

it("puts each event into exactly one digest, whatever is lost, restarted, late or out of step", async () => {
  for (const seed of SEEDS) await expect(run(seed), `seed ${seed}`).resolves.toBeUndefined();
});

/** Bugs that the run above must find. */
const PLANTED: Readonly<Record<string, Faults>> = {
  "a shard forgets what it has closed": {
    beforeSealing: (shards) =>
      shards.forEach((sql) => sql.all('UPDATE closed_quarters SET "until" = "until" - 1, since = since - 1')),
  },
  "late events are not looked for": {
    beforeSealing: (shards) => shards.forEach((sql) => sql.all("DELETE FROM late_ranges")),
  },
  "a shard never closes, and its answer counts as final": {
    ports: (ports) => ({
      ...ports,
      close: async (shard, quarter) => ({ ...(await ports.close(shard, quarter, false)), isFrozen: true }),
    }),
  },
  "events that come again are not known": {
    store: (sql) =>
      new (class extends LogStore {
        override commit(...[state, digests]: Parameters<LogStore["commit"]>) {
          return super.commit(state, digests, {});
        }
      })(sql, sha256),
  },
  "the plan is not kept": {
    store: (sql) =>
      new (class extends LogStore {
        override keep(state: Parameters<LogStore["keep"]>[0]) {
          super.keep({ ...state, plan: null });
        }
      })(sql, sha256),
    ports: (ports) => ({
      ...ports,
      put: (path, content) => ports.put(path.replace(/^leaves\/3/, "leaves/x"), content),
    }),
  },
};

it.each(Object.entries(PLANTED))("would find a bug: %s", async (_, planted) => {
  const found = async () => {
    for (const seed of SEEDS) await run(seed, planted);
  };
  await expect(found()).rejects.toThrow(/./);
});
