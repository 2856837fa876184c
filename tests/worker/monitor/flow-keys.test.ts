/** Several flow-control keys: a deployment changed the key, a gateway has another one, and other people use the account. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { recordsOf } from "../support/records.ts";

let path: LocalPath;

beforeEach(async () => {
  path = await startLocalPath();
});
afterEach(() => path.stop());

const health = async () => (await path.get("/health")).json;
const arrived = () => path.workos.events().map(({ event }) => event.metadata?.["event_id"]);
const under = (key: string) => ({ "upstash-flow-control-key": key });

async function queueApi(method: string, apiPath: string, headers: Record<string, string> = {}): Promise<unknown> {
  const authorization = `Bearer ${path.queue.token}`;
  const response = await fetch(`${path.queue.url}${apiPath}`, { method, headers: { authorization, ...headers } });
  return response.headers.get("content-type")?.includes("json") ? response.json() : undefined;
}

async function isPaused(key: string): Promise<boolean> {
  return ((await queueApi("GET", `/v2/flowControl/${key}`)) as { isPaused: boolean }).isPaused;
}

it("a pause is not confirmed for a new key until QStash has paused that, and resume resumes the old one too", async () => {
  const [before, after] = [recordsOf(1), recordsOf(1)];
  await path.post("/api/pause");
  await path.publish(before);
  expect((await health()).pause.confirmed_by_queue).toBe(true);
  await path.killWorker();
  path.queue.setFaults({ flow_control: { status: 500 } });
  await path.restartWorker({ AUDIT_FLOW_CONTROL_KEY: "audit" });
  expect(await health()).toMatchObject({ paused: true, pause: { by: "operator", confirmed_by_queue: false } });
  path.queue.setFaults({ flow_control: null });
  await until(health, ({ pause }) => pause.confirmed_by_queue === true);
  expect([await isPaused("workos"), await isPaused("audit")]).toEqual([true, true]);

  await path.publish(after, under("audit"));
  await path.queue.idle();
  expect(arrived()).toEqual([]);
  expect((await path.post("/api/resume")).json).toMatchObject({ paused: false });
  await path.queue.idle();
  expect(new Set(arrived())).toEqual(new Set([...before, ...after].map(({ id }) => id)));
});

it("resume resumes a key that only a gateway knows, and leaves other people's alone", async () => {
  const records = recordsOf(1);
  for (const key of ["misspelt", "theirs"]) await queueApi("POST", `/v2/flowControl/${key}/pause`);
  await path.publish(records, under("misspelt"));
  await queueApi("POST", "/v2/publish/https://other.example/hook", under("theirs"));
  await path.queue.idle();
  expect(arrived()).toEqual([]);
  expect((await path.post("/api/resume")).json).toMatchObject({ paused: false });
  await until(arrived, (ids) => ids.length > 0);
  expect(arrived()).toEqual(records.map(({ id }) => id));
  expect([await isPaused("misspelt"), await isPaused("theirs")]).toEqual([false, true]);
});

it("messages behind a pause of another key are an incident until a resume, while the worker's own key delivers", async () => {
  const [held, live] = [recordsOf(1), recordsOf(1)];
  await queueApi("POST", "/v2/flowControl/former/pause");
  await path.publish(held, under("former"));
  await path.publish(live);
  await until(arrived, (ids) => ids.length > 0);
  await path.scheduled();
  expect(await health()).toMatchObject({
    status: "degraded",
    paused: false,
    incidents: [{ kind: "paused", detail: 'messages wait under a key that is paused at QStash: "former"' }],
  });
  expect(arrived()).toEqual(live.map(({ id }) => id));

  await path.post("/api/resume");
  await until(arrived, (ids) => ids.length > 1);
  await path.scheduled();
  expect(await health()).toMatchObject({ status: "ok", incidents: [] });
});

it("the incident ends without the worker if somebody resumes the other key at QStash", async () => {
  await queueApi("POST", "/v2/flowControl/former/pause");
  await path.publish(recordsOf(1), under("former"));
  await path.scheduled();
  expect((await health()).incidents).toMatchObject([{ kind: "paused" }]);
  await queueApi("POST", "/v2/flowControl/former/resume");
  await path.queue.idle();
  await path.scheduled();
  expect((await health()).incidents).toEqual([]);
});
