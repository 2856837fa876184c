/** What a route makes of bodies: chunked ones, those that cannot be read, and those that still arrive when the response does. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { TestGateway } from "./support/gateway.ts";
import { World } from "./support/world.ts";

const audit = (assurance: string, more: object = {}) => ({
  operation: { operationId: "op", "x-audit": { assurance, ...more } },
});

describe("a chunked request", () => {
  const chunked = (more: object = {}) => ({
    method: "POST",
    headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
    body: new Response("{}").body as ReadableStream,
    ...more,
  });
  const readingHandler = (world: World, ms: number) => async (request: Request) => {
    await request.text();
    await new Promise<void>((resolve) => void world.ports.timer(ms, resolve));
    return Response.json({});
  };

  it("hands nothing to waitUntil before its response, and sends the watchdog's record once its body is read", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 0 });
    const running = gateway.run(chunked({ handler: readingHandler(world, 1_000) }), audit("best-effort", SELECTS));
    await world.advance(900);
    expect(gateway.background).toEqual([]);
    expect(world.records()).toMatchObject([{ stage: "watchdog", missing: ["$body.id", "$body"] }]);
    await world.advance(200);
    await Promise.all((await running).background);
    expect(world.records()).toMatchObject([{ stage: "watchdog" }, { stage: "outcome", status: 200 }]);
    expect(world.pendingTimers).toBe(0);
  });

  it("that is refused before anybody reads its body sends one record", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 0 });
    await gateway.run(chunked({ handler: () => new Response("", { status: 404 }) }));
    await world.advance(1_000);
    expect(world.records()).toMatchObject([{ stage: "outcome", status: 404 }]);
  });

  it("whose body nobody reads is recorded where the hooks never run", async () => {
    const world = new World();
    const handler = () =>
      new Promise<Response>((resolve) => void world.ports.timer(50, () => resolve(new Response(""))));
    const running = new TestGateway(world).run(chunked({ handler, skipHooks: true }));
    await world.advance(60);
    await running;
    expect(world.records()).toMatchObject([{ stage: "watchdog" }]);
  });
});

const SELECTS = { targets: [{ id: "$body.id", type: "thing" }] };

describe("a body that cannot be read", () => {
  const text = { method: "POST", headers: { "content-type": "text/plain" }, body: "no JSON" };
  const sha256 = createHash("sha256").update("no JSON").digest("hex");

  it("leaves its length, its hash and a mark", async () => {
    const world = new World();
    await new TestGateway(world, { coalesceMs: 0 }).run(text, audit("best-effort", SELECTS));
    await world.advance(100);
    expect(world.records()).toMatchObject([
      { missing: ["$body.id", "$body"], metadata: { body_bytes: 7, body_sha256: sha256 } },
    ]);
  });

  it("is cut where it is longer than the limit", async () => {
    const world = new World();
    const body = JSON.stringify({ id: "x".repeat(100_000) });
    await new TestGateway(world, { coalesceMs: 0 }).run({ method: "POST", body }, audit("best-effort", SELECTS));
    await world.advance(100);
    expect(world.records()).toMatchObject([
      { missing: ["$body.id"], truncated: ["body"], metadata: { body_bytes: body.length } },
    ]);
  });

  it("is refused where the route says so, before the handler, and the refusal is recorded", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { coalesceMs: 0 });
    const refusing = audit("required", { ...SELECTS, unreadable: "refuse" });
    const handler = () => Response.json({ handled: true });
    const { response } = await gateway.run({ ...text, handler }, refusing);
    expect([response?.status, response?.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
    expect(await response?.json()).toMatchObject({ code: "unreadable_body", status: 422 });
    await world.advance(100);
    expect(world.records()).toMatchObject([{ stage: "outcome", status: 422, outcome: "failure" }]);
    for (const body of ['{"id":"7"}', ""]) {
      const passed = await gateway.run({ method: "POST", body, handler }, refusing);
      expect(passed.response?.status).toBe(200);
    }
  });
});

describe("durable with a body that still arrives", () => {
  it("does not hold the response for it, enqueues what is known, and replaces that after the response", async () => {
    const world = new World();
    world.queue = { afterMs: 50, reply: { status: 200, text: '{"messageId":"m"}' } };
    let send: (text: string) => void = () => undefined;
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        send = (text) => {
          controller.enqueue(new TextEncoder().encode(text));
          if (text.endsWith("}")) controller.close();
        };
      },
    });
    send('{"id":');
    const startMs = world.nowMs;
    let sentAtMs = 0;
    const xAudit = { targets: [{ id: "$response.body.id", type: "thing" }] };
    const running = new TestGateway(world, { budgetMs: 500 }).run(
      { handler: () => new Response(stream) },
      audit("durable", xAudit),
    );
    void running.then(() => (sentAtMs = world.nowMs));
    await world.advance(6_000);
    expect(sentAtMs - startMs).toBe(50);
    expect(world.records()).toMatchObject([{ stage: "watchdog", status: 200, outcome: "success" }]);
    send('"t_1"}');
    await world.advance(1_000);
    const [first, whole] = world.records();
    expect(whole).toMatchObject({ id: first?.id, stage: "outcome", targets: [{ id: "t_1" }] });
    expect(world.posts.map(({ headers }) => headers["upstash-delay"])).toEqual([expect.any(String), undefined]);
  });

  it("enqueues one record where only the request's body is selected from", async () => {
    const world = new World();
    const running = new TestGateway(world).run({ method: "POST", body: '{"id":"t_1"}' }, audit("durable", SELECTS));
    await world.advance(1_000);
    await running;
    expect(world.records()).toMatchObject([{ stage: "outcome", targets: [{ id: "t_1" }] }]);
  });
});
