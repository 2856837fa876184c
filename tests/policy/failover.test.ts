import { describe, expect, it } from "vitest";
import { Webhook } from "standardwebhooks";
import { makeCircuit } from "../../policy/circuit.ts";
import { makeFailover } from "../../policy/failover.ts";
import { type Outgoing, queuePath, spillPath } from "../../policy/paths.ts";
import { OPTIONS } from "./support/gateway.ts";
import { type Answer, World } from "./support/world.ts";

const MESSAGE: Outgoing = { body: '{"v":1,"records":[]}', deduplicationId: "id_1", delaySeconds: 0 };
const QUEUE = { ...OPTIONS, workerUrl: "https://worker.test", flowControlKey: "workos", rate: 80, retries: 3 };
const refused: Answer = { status: 500, text: "" };

function failoverOf(world: World, warnings: string[] = []) {
  const paths = { queue: queuePath(QUEUE, world.ports), spill: spillPath(QUEUE, world.ports) };
  return makeFailover(paths, world.ports, (line) => void warnings.push(line));
}

async function sent(world: World, failover = failoverOf(world), pathMs = 1_000, force = false): Promise<boolean> {
  const result = failover.send(MESSAGE, pathMs, { force: force });
  await world.advance(2 * pathMs + 200);
  return result;
}

describe("the queue's path", () => {
  it("publishes to the worker's /deliver with everything QStash is to know", async () => {
    const world = new World();
    await sent(world);
    const [post] = world.posts;
    expect(post?.url).toBe("https://qstash.test/v2/publish/https://worker.test/deliver");
    expect(post?.headers).toMatchObject({
      authorization: "Bearer token",
      "content-type": "application/json",
      "upstash-method": "POST",
      "upstash-deduplication-id": "id_1",
      "upstash-retries": "3",
      "upstash-retry-delay": "60000 * pow(5, min(retried, 1)) * pow(239, max(retried - 1, 0))",
      "upstash-timeout": "300s",
      "upstash-failure-callback": "https://worker.test/dead-letter",
      "upstash-flow-control-key": "workos",
      "upstash-flow-control-value": "parallelism=40, rate=80, period=1s",
      "upstash-label": "audit-forwarder",
    });
  });

  it.each<[string, Answer, number]>([
    ["an HTML page with 200", { status: 200, text: "<html></html>" }, 2],
    ["200 without a message id", { status: 200, text: "{}" }, 2],
    ["200 whose message id is no text", { status: 200, text: '{"messageId":7}' }, 2],
    ["200 with null", { status: 200, text: "null" }, 2],
    ["an empty 200", { status: 200, text: "" }, 2],
    ["a redirect", { status: 302, text: "" }, 1],
    ["400", { status: 400, text: '{"error":"invalid"}' }, 1],
    ["401", { status: 401, text: "" }, 1],
    ["412", { status: 412, text: "" }, 1],
    ["429", { status: 429, text: "" }, 2],
    ["500", { status: 500, text: "" }, 2],
    ["503", { status: 503, text: "" }, 2],
    ["no connection", "refuse", 2],
    ["nothing until the time is over", "hang", 1],
  ])("takes %s for no acknowledgement, and the message spills", async (_name, answer, tries) => {
    const world = new World();
    world.queue = answer;
    expect(await sent(world)).toBe(true);
    expect(world.postsTo("queue")).toHaveLength(tries);
    expect(world.postsTo("spill").map(({ body }) => body)).toEqual([MESSAGE.body]);
  });

  it.each([200, 201, 202])("takes %i with a message id, a duplicate's too", async (status) => {
    const world = new World();
    world.queue = { status, text: '{"messageId":"msg_1","deduplicated":true}' };
    expect(await sent(world)).toBe(true);
    expect(world.posts).toHaveLength(1);
  });

  it("does not try again where the time is nearly over", async () => {
    const world = new World();
    world.queue = { afterMs: 980, reply: { status: 500, text: "" } };
    await sent(world);
    expect(world.postsTo("queue")).toHaveLength(1);
  });
});

describe("the spill", () => {
  it("is signed as the official library checks it, under the same id as on the queue", async () => {
    const world = new World();
    world.queue = refused;
    await sent(world);
    const [post] = world.postsTo("spill");
    expect(post?.url).toBe("https://worker.test/ingest");
    expect(post?.headers["webhook-id"]).toBe("id_1");
    expect(post?.headers["webhook-timestamp"]).toBe(String(Math.floor((post?.atMs ?? 0) / 1000)));
    // The library compares with the real clock, so it gets the signature of a message of now.
    const now = new World();
    now.nowMs = Date.now();
    now.queue = refused;
    await sent(now);
    const [fresh] = now.postsTo("spill");
    expect(() => new Webhook(OPTIONS.ingestKey).verify(fresh?.body ?? "", fresh?.headers ?? {})).not.toThrow();
    expect(() => new Webhook(OPTIONS.ingestKey).verify(`${fresh?.body} `, fresh?.headers ?? {})).toThrow(
      /No matching signature/,
    );
  });

  it("is tried twice too, and a message that nothing took is told", async () => {
    const world = new World();
    world.queue = refused;
    world.spill = refused;
    expect(await sent(world)).toBe(false);
    expect(world.postsTo("spill")).toHaveLength(2);
  });

  it.each([200, 201, 204])("is stored where the worker says 202, and not where something says %i", async (status) => {
    const world = new World();
    world.queue = refused;
    world.spill = { status, text: "<html></html>" };
    expect(await sent(world)).toBe(false);
    expect(world.postsTo("spill")).toHaveLength(2);
  });

  it("carries the message that the queue's path did not", async () => {
    const world = new World();
    const failover = makeFailover({ spill: spillPath(QUEUE, world.ports) }, world.ports, () => {});
    expect(await sent(world, failover)).toBe(true);
    const none = makeFailover({}, world.ports, () => {});
    expect(await sent(world, none, 1_000, true)).toBe(false);
  });
});

describe("a circuit", () => {
  it("opens at the third failure in a row, and warns once", async () => {
    const world = new World();
    const warnings: string[] = [];
    const failover = failoverOf(world, warnings);
    world.queue = "refuse";
    for (let i = 0; i < 3; i++) await sent(world, failover, 100);
    expect(world.postsTo("queue")).toHaveLength(6);
    expect(warnings).toEqual(["audit-log: QStash does not take messages: no connection"]);
    for (let i = 0; i < 3; i++) await sent(world, failover, 100);
    expect(world.postsTo("queue")).toHaveLength(6);
    expect(world.postsTo("spill")).toHaveLength(6);
  });

  it("asks both paths all the same where both are dead and the message must not wait", async () => {
    const world = new World();
    const failover = failoverOf(world);
    world.queue = "refuse";
    world.spill = "refuse";
    for (let i = 0; i < 3; i++) await sent(world, failover, 100);
    const before = world.posts.length;
    expect(await sent(world, failover, 100, false)).toBe(false);
    expect(world.posts).toHaveLength(before);
    expect(await sent(world, failover, 100, true)).toBe(false);
    expect(world.posts).toHaveLength(before + 4);
  });

  it("of the spill keeps its trial while the queue takes messages, for the one that the queue does not take", async () => {
    const world = new World();
    world.queue = refused;
    world.spill = refused;
    const failover = failoverOf(world);
    for (let i = 0; i < 3; i++) await sent(world, failover);
    await world.advance(2_000);
    world.queue = { status: 200, text: '{"messageId":"m"}' };
    expect(await sent(world, failover, 100)).toBe(true);
    world.queue = refused;
    world.spill = { status: 202, text: "" };
    expect(await sent(world, failover, 100)).toBe(true);
  });

  it("lets one through after a pause that doubles up to 10 s, and closes with its success", () => {
    const circuit = makeCircuit();
    let nowMs = 0;
    const fail = () => circuit.note(false, nowMs);
    expect([fail(), fail(), fail(), fail()]).toEqual([false, false, true, false]);
    const pauses: number[] = [];
    for (let trial = 0; trial < 6; trial++) {
      const since = nowMs;
      while (!circuit.allows(nowMs)) nowMs += 100;
      pauses.push(nowMs - since);
      expect(circuit.allows(nowMs)).toBe(false);
      fail();
    }
    expect(pauses).toEqual([4_000, 8_000, 10_000, 10_000, 10_000, 10_000]);
    circuit.note(true, nowMs);
    expect([circuit.allows(nowMs), circuit.allows(nowMs)]).toEqual([true, true]);
    expect([fail(), fail()]).toEqual([false, false]);
    expect(circuit.allows(nowMs)).toBe(true);
    // It starts from the first pause again.
    fail();
    expect([circuit.allows(nowMs + 1_999), circuit.allows(nowMs + 2_000)]).toEqual([false, true]);
  });

  it("is closed by a success in between", () => {
    const circuit = makeCircuit();
    for (let i = 0; i < 10; i++) {
      circuit.note(false, 0);
      circuit.note(false, 0);
      circuit.note(true, 0);
    }
    expect(circuit.allows(0)).toBe(true);
  });
});
