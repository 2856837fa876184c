import { afterAll, beforeAll, expect, test } from "vitest";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => void (stage = await openStage()));
afterAll(() => stage.close());

const refused = (feature: string) => ({
  status: 501,
  json: { error: `the development queue does not offer ${feature}; use QStash itself` },
});

test.each([
  ["GET", "/v2/schedules", "schedules"],
  ["POST", "/v2/schedules/https://example.com", "schedules"],
  ["DELETE", "/v2/schedules/scd_1", "schedules"],
  ["DELETE", "/v2/workflows/runs/wfr_1?cancel=true", "workflows"],
  ["POST", "/llm/v1/chat/completions", "LLM and e-mail APIs"],
  ["POST", "/v2/publish/api/llm", "LLM and e-mail APIs"],
  ["POST", "/v2/enqueue/q/api/llm", "LLM and e-mail APIs"],
  ["PATCH", "/v2/topics/g", "default headers of a URL group"],
])("%s %s answers 501 and names what is missing", async (method, path, feature) => {
  expect(await stage.call(method, path)).toMatchObject(refused(feature));
});

test.each([
  ["upstash-cron", "* * * * *", "schedules"],
  ["upstash-workflow-runid", "wfr_1", "workflows"],
])("a publish with %s is refused, alone and in a batch, and sends nothing", async (name, value, feature) => {
  const destination = stage.receiver.url;
  const { status, json } = refused(feature);
  expect(await stage.call("POST", `/v2/publish/${destination}`, { headers: { [name]: value } })).toMatchObject({
    status,
    json,
  });
  const body = JSON.stringify([{ destination, headers: { [name]: value } }]);
  expect((await stage.call("POST", "/v2/batch", { body })).json).toEqual([json]);
  await stage.queue.idle();
  expect(stage.receiver.received).toEqual([]);
});

test("the SDK's schedules say so, too", async () => {
  await expect(stage.client.schedules.list()).rejects.toThrow("does not offer schedules");
});
