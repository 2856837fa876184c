/** A request from the policy to its record, under a virtual clock: hooks, watchdog, assurance, and a gateway that misbehaves. */
import { describe, expect, it } from "vitest";
import type { GatewayContext } from "../../policy/gateway.ts";
import { makePolicy, type Policy } from "../../policy/policy.ts";
import { OPTIONS, requestOf, TestGateway } from "./support/gateway.ts";
import { recordsIn, World } from "./support/world.ts";

const audit = (assurance: string, more: object = {}) => ({
  operation: { operationId: "op", "x-audit": { assurance, ...more } },
});

describe("the watchdog", () => {
  it("rings where the hooks never run, alone in its message, and not before its time", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { watchdogMs: 20_000, coalesceMs: 5_000 });
    await gateway.run({ skipHooks: true });
    await world.advance(17_000);
    await gateway.run();
    await gateway.run();
    await world.advance(2_900);
    expect(world.posts).toHaveLength(0);
    await world.advance(200);
    expect(world.posts).toHaveLength(1);
    expect(recordsIn(world.posts[0]?.body ?? "")).toMatchObject([
      { stage: "watchdog", outcome: "unknown", sequence: 3 },
    ]);
    expect(world.posts[0]?.headers["upstash-delay"]).toBe("240s");
    await world.advance(10_000);
    expect(world.records()).toHaveLength(3);
  });

  it("is called off by the hook, and leaves no timer", async () => {
    const world = new World();
    const gateway = new TestGateway(world);
    const ran = await gateway.run();
    await world.advance(1_000);
    await Promise.all(ran.background);
    expect(world.pendingTimers).toBe(0);
    expect(world.records()).toMatchObject([{ stage: "outcome", status: 200 }]);
  });

  it("does not keep a late outcome back", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { watchdogMs: 100, coalesceMs: 0 });
    const late = gateway.run({
      handler: () => new Promise((resolve) => void world.ports.timer(500, () => resolve(new Response("late")))),
    });
    await world.advance(600);
    await late;
    await world.advance(100);
    const [unknown, outcome] = world.records();
    expect([unknown?.stage, outcome?.stage]).toEqual(["watchdog", "outcome"]);
    expect(unknown?.id).toBe(outcome?.id);
  });
});

describe("the sequence numbers of an isolate", () => {
  const answer = (world: World, ms: number) =>
    new Promise<Response>((resolve) => void world.ports.timer(ms, () => resolve(new Response("done"))));

  it.each([
    ["an intent", "required", 0, ["intent", "outcome"]],
    ["a watchdog's record", "best-effort", 500, ["watchdog", "outcome"]],
  ])("leave no gap behind %s and its outcome", async (_, assurance, handlerMs, stages) => {
    const world = new World();
    const gateway = new TestGateway(world, { watchdogMs: 100, coalesceMs: 0 });
    for (let count = 0; count < 3; count++) {
      const ran = gateway.run({ handler: () => answer(world, handlerMs) }, audit(assurance));
      await world.advance(1_000);
      await ran;
    }
    expect(world.records().map(({ stage, sequence }) => [stage, sequence])).toEqual(
      [1, 2, 3].flatMap((sequence) => stages.map((stage) => [stage, sequence])),
    );
  });
});

describe("best-effort", () => {
  it("computes nothing before the response is sent", async () => {
    const world = new World();
    let asked = 0;
    const gateway = new TestGateway(world, {}, { describe: () => void (asked += 1) });
    await gateway.run();
    expect(asked).toBe(0);
    await world.advance(1_000);
    expect(asked).toBe(1);
  });

  it("reads no body that is not selected", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 0 });
    const untouchable = new ReadableStream({ pull: () => Promise.reject(new Error("read")) }, { highWaterMark: 0 });
    const response = new Response(untouchable, { headers: { "content-type": "application/json" } });
    const { response: same } = await gateway.run({
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
      handler: () => response,
    });
    await world.advance(100);
    expect(same).toBe(response);
    expect(response.bodyUsed).toBe(false);
    expect(world.records()).toHaveLength(1);
  });
});

describe("what takes too long", () => {
  const never = () => new Promise<never>(() => {});

  it("a description: the record goes without it, and says so", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 0 }, { describe: never });
    const ran = await gateway.run();
    await world.advance(3_000);
    await Promise.all(ran.background);
    expect(world.records()).toMatchObject([{ missing: ["describe"], status: 200 }]);
  });

  it("a body that does not end: its selectors are missing, and an intent waits no longer either", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 0 });
    const body = () =>
      new Response(new ReadableStream({ pull: never }), { headers: { "content-type": "application/json" } });
    const xAudit = { targets: [{ id: "$response.body.id", type: "thing" }] };
    const ran = await gateway.run({ handler: body }, audit("best-effort", xAudit));
    await world.advance(24_000);
    expect(world.records()).toEqual([]);
    await world.advance(2_000);
    await Promise.all(ran.background);
    expect(world.records()).toMatchObject([{ missing: ["$response.body.id", "$response.body"] }]);
  });

  it("is nothing where the description says nothing", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 0 }, { describe: () => undefined });
    await gateway.run();
    await world.advance(100);
    expect(world.records()[0]).not.toHaveProperty("missing");
  });

  it("is no cut where a part of the description is undefined", async () => {
    const world = new World();
    const undefinedOne: Record<string, string> = JSON.parse('{"plan":"pro"}');
    const metadata = { ...undefinedOne, none: undefinedOne["none"] } as Record<string, string>;
    const describe = () => ({
      actor: { id: "robot", metadata },
      targets: [{ id: "1", type: "t", metadata }],
      metadata,
    });
    await new TestGateway(world, { coalesceMs: 0 }, { describe }).run();
    await world.advance(100);
    expect(world.records()[0]).not.toHaveProperty("truncated");
    expect(world.records()[0]).toMatchObject({ metadata: { plan: "pro" }, targets: [{ metadata: { plan: "pro" } }] });
  });
});

describe("a description with what its type does not allow", () => {
  it.each([
    ["an object without a prototype", Object.create(null)],
    [
      "an object that throws",
      {
        toString() {
          throw new Error("no text");
        },
      },
    ],
    ["a list", ["a"]],
    ["a big number", 5n],
    ["a symbol", Symbol("s")],
  ])("keeps the rest, and marks the field: %s", async (_name, odd: unknown) => {
    const world = new World();
    const metadata = { odd, good: "yes" } as unknown as Record<string, string>;
    const describe = () => ({ action: "a.b", actor: { id: "ada", metadata }, metadata });
    await new TestGateway(world, { coalesceMs: 0 }, { describe }).run();
    await world.advance(100);
    const [record] = world.records();
    expect(record).toMatchObject({
      action: "a.b",
      actor: { id: "ada", metadata: { good: "yes" } },
      metadata: { good: "yes" },
    });
    expect(record?.truncated?.map((cut) => cut.split(":")[0])).toEqual(["actor.metadata.odd", "metadata.odd"]);
    expect(record).not.toHaveProperty("missing");
  });
});

describe("durable", () => {
  it("holds the response until the queue has the record", async () => {
    const world = new World();
    world.queue = { afterMs: 120, reply: { status: 200, text: '{"messageId":"m"}' } };
    const running = new TestGateway(world, { budgetMs: 500 }).run({}, audit("durable"));
    let sentAtMs = 0;
    void running.then(() => (sentAtMs = world.nowMs));
    const startMs = world.nowMs;
    await world.advance(1_000);
    expect(sentAtMs - startMs).toBe(120);
    expect(world.records()).toMatchObject([{ assurance: "durable", stage: "outcome" }]);
  });

  it("holds it no longer than its budget, and goes on after it until a path takes the record", async () => {
    const world = new World();
    world.queue = "hang";
    world.spill = (call) => (call < 3 ? "refuse" : { status: 202, text: "" });
    const running = new TestGateway(world, { budgetMs: 500 }).run({}, audit("durable"));
    let sentAtMs = 0;
    void running.then(() => (sentAtMs = world.nowMs));
    const startMs = world.nowMs;
    await world.advance(500);
    expect(sentAtMs - startMs).toBe(500);
    await world.advance(15_000);
    expect(new Set(world.records().map(({ id }) => id)).size).toBe(1);
  });
});

it("two policies of one isolate leave one record for a request, the first policy's", async () => {
  const world = new World();
  const registry = new WeakMap<object, { readonly eventId: () => string }>();
  const [first, second] = [makePolicy(world.ports, {}, {}, registry), makePolicy(world.ports, {}, {}, registry)];
  const both: Policy = async (request, context, options, name) => {
    const passed = await first(request, context, options, name);
    return passed instanceof Response ? passed : second(passed, context, { ...OPTIONS }, name);
  };
  await new TestGateway(world, { coalesceMs: 0 }, {}, both).run();
  await world.advance(100);
  expect(world.records()).toHaveLength(1);
});

describe("required", () => {
  it("asks before the handler, without what cannot be known yet, and tells the outcome at once", async () => {
    const world = new World();
    const order: string[] = [];
    const gateway = new TestGateway(world, { coalesceMs: 5_000 });
    const handler = () => {
      order.push(`handler after ${world.posts.length} posts`);
      return Response.json({ id: "t_1" });
    };
    await gateway.run({ handler }, audit("required", { targets: [{ id: "$response.body.id", type: "thing" }] }));
    await world.advance(20);
    expect(order).toEqual(["handler after 1 posts"]);
    const [intent, outcome] = world.records();
    expect(intent).toMatchObject({ stage: "intent", outcome: "unknown", targets: [{ id: "unknown", type: "thing" }] });
    expect(intent).not.toHaveProperty("missing");
    expect(outcome).toMatchObject({ id: intent?.id, stage: "outcome", targets: [{ id: "t_1" }] });
    expect(world.posts.map(({ headers }) => headers["upstash-delay"])).toEqual(["200s", undefined]);
  });

  it("refuses after its budget on each path, and the handler does not run", async () => {
    const world = new World();
    world.queue = "hang";
    world.spill = "hang";
    let handled = 0;
    const running = new TestGateway(world, { budgetMs: 300 }).run(
      { handler: () => new Response(String((handled += 1))) },
      audit("required"),
    );
    let answeredAtMs = 0;
    void running.then(() => (answeredAtMs = world.nowMs));
    const startMs = world.nowMs;
    await world.advance(1_000);
    expect(answeredAtMs - startMs).toBe(600);
    const { response } = await running;
    expect([response?.status, response?.headers.get("content-type"), handled]).toEqual([
      503,
      "application/problem+json",
      0,
    ]);
    expect(Number(response?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response?.json()).toMatchObject({ code: "audit_unavailable", status: 503 });
    expect(world.posts.map(({ body }) => recordsIn(body)[0]?.stage)).toEqual(["intent", "intent", "outcome"]);
  });

  it("needs no watchdog: the intent stands for the request", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { watchdogMs: 100 });
    await gateway.run({ skipHooks: true }, audit("required"));
    await world.advance(60_000);
    expect(world.records().map(({ stage }) => stage)).toEqual(["intent"]);
    expect(world.pendingTimers).toBe(0);
  });

  it.each([{ budgetMs: 1 }, { qstashToken: undefined }, { ingestKey: "no" }, { colour: "red" }])(
    "refuses with the options %j",
    async (wrong) => {
      const world = new World();
      const gateway = new TestGateway(world, wrong);
      expect((await gateway.run({}, audit("required"))).response?.status).toBe(503);
      expect((await gateway.run({}, audit("durable"))).response?.status).toBe(200);
      expect(gateway.logs.filter((line) => line.includes("_option:") || line.includes("_variable:"))).toHaveLength(1);
    },
  );
});

describe("a gateway that misbehaves", () => {
  const context = (change: Partial<GatewayContext>): GatewayContext => ({
    requestId: "r",
    log: { warn() {}, error() {} },
    route: { path: "/r", raw: () => ({}) },
    waitUntil() {},
    addResponseSendingFinalHook() {},
    ...change,
  });
  const fails = () => {
    throw new Error("not implemented");
  };

  it.each<[string, Partial<GatewayContext>]>([
    ["whose hooks throw", { addResponseSendingFinalHook: fails }],
    ["whose events throw", { addEventListener: fails }],
    ["whose waitUntil throws", { waitUntil: fails }],
    ["whose route has no description", { route: { path: "/r", raw: fails } }],
  ])("%s gets its request back", async (_name, change) => {
    const world = new World();
    const request = requestOf({});
    expect(await makePolicy(world.ports, {})(request, context(change), OPTIONS, "audit-log")).toBe(request);
    expect(await makePolicy(world.ports, {})(request, context(change), undefined, "audit-log")).toBe(request);
  });

  it("without the event of older runtimes still records, and says which status it saw", async () => {
    const world = new World();
    const hooks: Parameters<GatewayContext["addResponseSendingFinalHook"]>[0][] = [];
    const policy = makePolicy(world.ports, {});
    const request = requestOf({});
    await policy(
      request,
      context({ addResponseSendingFinalHook: (hook) => void hooks.push(hook) }),
      { ...OPTIONS, coalesceMs: 0 },
      "audit-log",
    );
    for (const hook of hooks) await hook(new Response("", { status: 418 }), request);
    await world.advance(100);
    expect(world.records()).toMatchObject([{ status: 418, statusSource: "before_sending_hooks" }]);
  });
});
