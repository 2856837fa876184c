/** Refused requests of strangers: they share records, and push out nobody who is signed in. */
import { describe, expect, it } from "vitest";
import type { AuditSubject } from "../../policy/public-types.ts";
import { ACCEPTED, World } from "./support/world.ts";
import { type RequestInitOfTest, TestGateway } from "./support/gateway.ts";

const refusedWith = (status: number) => () => new Response("no", { status });
const stranger = (more: Partial<RequestInitOfTest> = {}): RequestInitOfTest => ({ handler: refusedWith(401), ...more });
const signedIn = (more: Partial<RequestInitOfTest> = {}): RequestInitOfTest => ({ user: { sub: "ada" }, ...more });

const counts = (world: World) => world.records().map(({ requestCount }) => requestCount);
const sum = (numbers: readonly (number | undefined)[]) => numbers.reduce<number>((all, one) => all + (one ?? 0), 0);

async function runMany(gateway: TestGateway, world: World, count: number, init: RequestInitOfTest): Promise<void> {
  for (let i = 0; i < count; i++) {
    await gateway.run(init);
    if (i % 100 === 99) await world.advance(60);
  }
}

describe("refused requests of strangers", () => {
  it.each([401, 403, 429])("with %d share records that count every one of them", async (status) => {
    const world = new World();
    const gateway = new TestGateway(world);
    await runMany(gateway, world, 3_000, stranger({ handler: refusedWith(status) }));
    await world.advance(20_000);
    expect(world.records().length).toBeLessThanOrEqual(3);
    expect(sum(counts(world))).toBe(3_000);
    expect(world.records()[0]).toMatchObject({ status, ip: "203.0.113.7", actor: { id: "anonymous" } });
    expect(world.pendingTimers).toBe(0);
  });

  it("leave within about a second if there is only one, with a count of one", async () => {
    const world = new World();
    await new TestGateway(world).run(stranger());
    await world.advance(1_200);
    expect(counts(world)).toEqual([1]);
  });

  it("share a record only with the same route, method, status, address and minute", async () => {
    const world = new World();
    const gateway = new TestGateway(world);
    const other = { path: "/other", operation: { operationId: "other" } };
    await gateway.run(stranger());
    await gateway.run(stranger({ method: "DELETE" }));
    await gateway.run(stranger({ handler: refusedWith(403) }));
    await gateway.run(stranger({ properties: { ip: "203.0.113.8" } }));
    await gateway.run(stranger(), other);
    await world.advance(60_000);
    await gateway.run(stranger());
    await world.advance(2_000);
    expect(counts(world)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("of a preset keep what each of them asked for", async () => {
    const world = new World();
    const gateway = new TestGateway(world);
    const route = { path: "/mcp", operation: { operationId: "mcp", "x-audit": { preset: "mcp" } } };
    for (const method of ["ping", "tools/call", "prompts/get"]) {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { name: "x" } });
      const headers = { "content-type": "application/json", "content-length": String(body.length) };
      await gateway.run(stranger({ method: "POST", headers, body }), route);
      await world.advance(100);
    }
    await world.advance(2_000);
    expect(world.records().map(({ action, outcome }) => [action, outcome])).toEqual([
      ["mcp.request_refused", "denied"],
      ["mcp.tool_called", "denied"],
      ["mcp.prompt_read", "denied"],
    ]);
    // The refusal is no JSON, and nobody misses it.
    expect(world.records().flatMap(({ missing = [] }) => missing)).toEqual([]);
  });

  it("do not share across paths where the user's code may choose the organization by them", async () => {
    const world = new World();
    const describe = ({ request }: AuditSubject) => ({ organization: String(request.params["org"]) });
    const gateway = new TestGateway(world, {}, { describe });
    for (const org of ["org_1", "org_2", "org_1"]) await gateway.run(stranger({ params: { org } }));
    await world.advance(2_000);
    const found = world.records().map(({ organization, requestCount }) => [organization, requestCount]);
    expect(found).toEqual([
      ["org_1", 2],
      ["org_2", 1],
    ]);
  });

  it("leave no gap in the sequence numbers of the isolate", async () => {
    const world = new World();
    const gateway = new TestGateway(world);
    for (let i = 0; i < 20; i++) {
      await gateway.run(stranger());
      await gateway.run(signedIn());
    }
    await world.advance(5_000);
    const numbers = world.records().map(({ sequence }) => sequence);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
  });
});

describe("a record of its own, without a count, has", () => {
  it.each<[string, RequestInitOfTest, Readonly<Record<string, string>>]>([
    ["a signed-in caller who is refused", signedIn({ handler: refusedWith(403) }), {}],
    ["a stranger who is not refused", stranger({ handler: refusedWith(404) }), {}],
    ["a route that waits for its record", stranger(), { assurance: "durable" }],
    ["a route that is recorded before it runs", stranger(), { assurance: "required" }],
  ])("%s", async (_name, init, options) => {
    const world = new World();
    const gateway = new TestGateway(world, options);
    for (let i = 0; i < 3; i++) {
      const ran = gateway.run(init);
      await world.advance(100);
      await ran;
    }
    await world.advance(2_000);
    const outcomes = world.records().filter(({ stage }) => stage === "outcome");
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(3);
    expect(outcomes.every(({ requestCount }) => requestCount === undefined)).toBe(true);
  });
});

describe("a flood from many addresses", () => {
  const flood = async (gateway: TestGateway, world: World, count: number) => {
    for (let i = 0; i < count; i++) {
      await gateway.run(stranger({ properties: { ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` } }));
      if (i % 500 === 499) await world.advance(20);
    }
  };

  it("pushes out no record of a signed-in caller while both paths are dead", async () => {
    const world = new World();
    world.queue = "refuse";
    world.spill = "refuse";
    const gateway = new TestGateway(world, { coalesceMs: 50 });
    await flood(gateway, world, 5_000);
    await world.advance(1_500);
    for (let i = 0; i < 60; i++) await gateway.run(signedIn());
    await world.advance(200);
    world.queue = ACCEPTED;
    await world.advance(20_000);
    expect(world.records().filter(({ actor }) => actor.id === "ada")).toHaveLength(60);
    const lost = gateway.logs.filter((line) => line.includes("is lost"));
    expect(lost.length).toBeGreaterThan(1_000);
    expect(lost.at(-1)).toMatch(
      /record \S+ is lost: 1400 records wait already; QStash does not take messages \(no connection\); the worker does/,
    );
  });

  it("keeps places free for signed-in callers while every record that waits is on its way out", async () => {
    const world = new World();
    world.queue = { afterMs: 2_900, reply: ACCEPTED };
    world.spill = { afterMs: 2_900, reply: ACCEPTED };
    const gateway = new TestGateway(world, { coalesceMs: 0 });
    await flood(gateway, world, 5_000);
    await gateway.run(signedIn());
    await world.advance(30_000);
    expect(gateway.logs.some((line) => line.includes("records wait already"))).toBe(true);
    expect(world.records().some(({ actor }) => actor.id === "ada")).toBe(true);
  });

  it("loses nothing while QStash is healthy but slow: the spill takes what QStash has not", async () => {
    const world = new World();
    world.queue = { afterMs: 2_500, reply: ACCEPTED };
    const gateway = new TestGateway(world);
    const total = 6_000;
    for (let i = 0; i < total; i++) {
      const isGenuine = i % 100 === 50;
      await gateway.run(isGenuine ? signedIn() : { properties: { ip: `10.0.${i >> 8}.${i & 255}` } });
      if (i % 50 === 49) await world.advance(20);
    }
    await world.advance(30_000);
    expect(gateway.logs.filter((line) => line.includes("is lost"))).toEqual([]);
    expect(world.postsTo("spill").length).toBeGreaterThan(0);
    const ids = new Set(world.records().map(({ id }) => id));
    expect(ids.size).toBe(total);
  });
});
