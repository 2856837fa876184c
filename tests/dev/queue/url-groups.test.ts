import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
let one: { name: string; url: string };
let two: { url: string };
beforeAll(async () => {
  stage = await openStage();
  one = { name: "one", url: `${stage.receiver.url}/one` };
  two = { url: `${stage.receiver.url}/two?a=1` };
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.client.messages.cancel({ all: true });
  await stage.queue.idle();
  for (const { name } of await stage.client.urlGroups.list()) await stage.client.urlGroups.delete(name);
  stage.receiver.received.length = 0;
  stage.receiver.answer = () => ({});
});

const paths = () => stage.receiver.received.map(({ path }) => path).toSorted();

describe("a URL group", () => {
  test("is made by its first endpoints, grows, and tells when it changed", async () => {
    const { urlGroups } = stage.client;
    await urlGroups.addEndpoints({ name: "team.a_1-x", endpoints: [one] });
    const createdAt = stage.clock.now();
    stage.clock.advance(1000);
    await urlGroups.addEndpoints({ name: "team.a_1-x", endpoints: [two] });
    const group = { name: "team.a_1-x", createdAt, updatedAt: createdAt + 1000, endpoints: [one, two] };
    expect(await urlGroups.get("team.a_1-x")).toEqual(group);
    expect(await urlGroups.list()).toEqual([group]);
    expect(await stage.client.topics.get("team.a_1-x")).toEqual(group);
  });

  test.each([
    { change: "another name for a URL", added: { name: "renamed", path: "/one" } },
    { change: "another URL for a name", added: { name: "one", path: "/elsewhere" } },
  ])("updates an endpoint: $change", async ({ added: { name, path } }) => {
    const endpoint = { name, url: stage.receiver.url + path };
    await stage.client.urlGroups.addEndpoints({ name: "g", endpoints: [one, two] });
    await stage.client.urlGroups.addEndpoints({ name: "g", endpoints: [endpoint] });
    expect((await stage.client.urlGroups.get("g")).endpoints).toEqual([two, endpoint]);
  });

  test("loses endpoints by name or by URL, and ends with the last one", async () => {
    const { urlGroups } = stage.client;
    const three = { name: "three", url: "https://example.com/" };
    await urlGroups.addEndpoints({ name: "g", endpoints: [one, two, three] });
    await urlGroups.removeEndpoints({ name: "g", endpoints: [{ name: "one" }, { url: two.url }] });
    expect((await urlGroups.get("g")).endpoints).toEqual([three]);
    await urlGroups.removeEndpoints({ name: "g", endpoints: [{ url: three.url }] });
    expect(await urlGroups.list()).toEqual([]);
  });

  test.each([
    ["GET", "/v2/topics/none", undefined, 404, "url group none not found"],
    ["DELETE", "/v2/topics/none", undefined, 404, "url group none not found"],
    ["DELETE", "/v2/topics/none/endpoints", { endpoints: [{ name: "a" }] }, 404, "url group none not found"],
    [
      "POST",
      "/v2/topics/a%2Fb/endpoints",
      { endpoints: [{ url: "https://example.com" }] },
      400,
      "url group name can only contain alphanumeric characters, hyphens, periods, and underscores",
    ],
    [
      "POST",
      "/v2/topics/g/endpoints",
      { endpoints: [] },
      400,
      "invalid endpoints: needs a list of endpoints, each with a url",
    ],
    [
      "POST",
      "/v2/topics/g/endpoints",
      { endpoints: [{ url: "https://example.com" }, { url: "example.com" }] },
      400,
      "invalid endpoint url: endpoint has invalid scheme, add http:// or https://",
    ],
  ])("refuses %s %s with %j", async (method, path, body, status, error) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    expect(await stage.call(method, path, init)).toMatchObject({ status, json: { error } });
    expect(await stage.client.urlGroups.list()).toEqual([]);
  });
});

describe("a publish to a URL group", () => {
  beforeEach(() => stage.client.urlGroups.addEndpoints({ name: "g", endpoints: [one, two] }));

  test("reaches every endpoint with a message of its own", async () => {
    const accepted = await stage.client.publishJSON({ urlGroup: "g", body: { a: 1 }, headers: { "x-trace": "t" } });
    expect(accepted).toEqual([one, two].map(({ url }) => ({ messageId: expect.stringMatching(/^msg_/), url })));
    expect(new Set(accepted.map(({ messageId }) => messageId)).size).toBe(2);
    await stage.queue.idle();
    expect(paths()).toEqual(["/one", "/two?a=1"]);
    for (const { headers, body } of stage.receiver.received) {
      expect(headers).toMatchObject({ "upstash-topic-name": "g", "x-trace": "t" });
      expect(body.toString()).toBe('{"a":1}');
    }
  });

  test("is shown with its group by messages, logs and dead letters, and can be filtered by it", async () => {
    await stage.client.urlGroups.addEndpoints({ name: "shown", endpoints: [one, two] });
    stage.receiver.answer = ({ path }) => (path === "/one" ? { status: 500 } : {});
    await stage.client.publish({ url: `${stage.receiver.url}/alone`, delay: 60 });
    const [first] = await stage.client.publish({ urlGroup: "shown", retries: 0, delay: 60 });
    expect(await stage.client.messages.get(String(first?.messageId))).toMatchObject({
      url: one.url,
      urlGroup: "shown",
      endpointName: "one",
    });
    stage.clock.advance(60_000);
    await stage.queue.idle();
    const { logs } = await stage.client.logs({ filter: { urlGroup: "shown", state: "DELIVERED" } });
    expect(logs).toMatchObject([{ url: two.url, topicName: "shown" }]);
    const { messages } = await stage.client.dlq.listMessages({ filter: { urlGroup: "shown" } });
    expect(messages).toMatchObject([{ messageId: first?.messageId, topicName: "shown", endpointName: "one" }]);
    expect((await stage.client.dlq.listMessages({ filter: { urlGroup: "other" } })).messages).toEqual([]);
    stage.receiver.answer = () => ({});
    await stage.client.dlq.retry({ filter: { urlGroup: "shown" } });
    await stage.queue.idle();
    expect(stage.receiver.at("/one")).toHaveLength(2);
    expect(stage.receiver.at("/one")[1]?.headers["upstash-topic-name"]).toBe("shown");
  });

  test("tells a failure callback the group and the endpoint", async () => {
    stage.receiver.answer = ({ path }) => (path === "/one" ? { status: 500 } : {});
    await stage.client.publish({ urlGroup: "g", retries: 0, failureCallback: `${stage.receiver.url}/dead` });
    await stage.queue.idle();
    const bodies = stage.receiver.at("/dead").map(({ body }) => JSON.parse(body.toString()) as object);
    expect(bodies).toMatchObject([{ topicName: "g", endpointName: "one", url: one.url }]);
  });

  test("is deduplicated for each endpoint", async () => {
    const publish = { urlGroup: "g", deduplicationId: "d1" };
    const first = await stage.client.publish(publish);
    expect(first.map(({ deduplicated }) => deduplicated)).toEqual([undefined, undefined]);
    await stage.client.urlGroups.addEndpoints({ name: "g", endpoints: [{ url: `${stage.receiver.url}/three` }] });
    const again = await stage.client.publish(publish);
    expect(again.map(({ deduplicated }) => deduplicated)).toEqual([true, true, undefined]);
    await stage.queue.idle();
    expect(paths()).toEqual(["/one", "/three", "/two?a=1"]);
  });

  test("can be part of a batch and of a queue", async () => {
    const accepted = await stage.client.batch([
      { urlGroup: "g", body: "grouped", queueName: "q" },
      { url: `${stage.receiver.url}/alone`, queueName: "q" },
    ]);
    expect(accepted).toMatchObject([[{ url: one.url }, { url: two.url }], { messageId: expect.any(String) }]);
    await stage.client.queue({ queueName: "q" }).enqueue({ urlGroup: "g" });
    await stage.queue.idle();
    expect(stage.receiver.received.map(({ path }) => path)).toEqual(["/one", "/two?a=1", "/alone", "/one", "/two?a=1"]);
  });

  test("is refused whole if one endpoint would refuse it, and without a group", async () => {
    const body = "x".repeat(10_000_001);
    expect(await stage.call("POST", "/v2/publish/g", { body })).toMatchObject({ status: 413 });
    await stage.client.urlGroups.delete("g");
    expect(await stage.call("POST", "/v2/publish/g")).toMatchObject({
      status: 400,
      json: { error: "invalid destination url: endpoint has invalid scheme, add http:// or https://" },
    });
    await stage.queue.idle();
    expect(stage.receiver.received).toEqual([]);
  });

  test("stays in flight when the group is deleted", async () => {
    await stage.client.publish({ urlGroup: "g", delay: 60 });
    await stage.client.urlGroups.delete("g");
    stage.clock.advance(60_000);
    await stage.queue.idle();
    expect(paths()).toEqual(["/one", "/two?a=1"]);
  });
});
