/** What the worker says and does where a variable is missing or wrong, and that keys can be changed without a refused message. */
import { afterEach, describe, expect, it } from "vitest";
import type { RunningWorker } from "../../dev/worker.ts";
import { startBuiltWorker } from "./support/built-worker.ts";
import { ADMIN_TOKEN, INGEST_KEY, sign, startDirect, type Direct } from "./support/direct.ts";
import { messageOf, recordOf } from "./support/records.ts";

let stops: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of stops) await part.stop();
  stops = [];
});

async function start(vars: Record<string, string>): Promise<Direct> {
  const direct = await startDirect({ vars });
  stops.push(direct);
  return direct;
}

describe("a variable that is missing or malformed", () => {
  it("is named by /health, and a message waits in the queue for its whole schedule", async () => {
    const direct = await start({
      WORKOS_API_KEY: "",
      AUDIT_INGEST_KEY: "whsec_not base64",
      AUDIT_WORKER_URL: "worker.example",
    });
    const response = await fetch(`${direct.url}/health`);
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      code: "missing_variable",
      detail: "variables missing: WORKOS_API_KEY; malformed: AUDIT_WORKER_URL, AUDIT_INGEST_KEY",
    });
    expect(text).not.toMatch(/worker.example|not base64/);
    const answer = await direct.deliver([recordOf()]);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBeNull();
    expect(direct.workos.requests()).toEqual([]);
  });

  it("that is only malformed has a code of its own", async () => {
    const direct = await start({ QSTASH_URL: "ftp://queue" });
    expect(await (await fetch(`${direct.url}/health`)).json()).toMatchObject({
      code: "invalid_variable",
      detail: "variables malformed: QSTASH_URL",
    });
  });
});

describe("the public development keys", () => {
  it("are no keys of a deployed worker: /health says so and no message is taken", async () => {
    const direct = await start({ AUDIT_WORKER_URL: "https://worker.example" });
    const response = await fetch(`${direct.url}/health`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "invalid_variable" });
    const body = messageOf(recordOf());
    const token = await sign(body, { key: direct.queue.currentSigningKey, url: "https://worker.example/deliver" });
    expect((await direct.post(body, token)).status).toBe(401);
    expect(direct.workos.requests()).toEqual([]);
  });

  it.each(["QSTASH_DEV", "NODE_ENV"])("whatever %s says", async (name) => {
    const direct = await start({ AUDIT_WORKER_URL: "https://worker.example", [name]: "true" });
    const body = messageOf(recordOf());
    const token = await sign(body, { key: direct.queue.nextSigningKey, url: "https://worker.example/deliver" });
    expect((await direct.post(body, token)).status).toBe(401);
  });
});

describe("two regions", () => {
  it("may each sign with their current and their next key", async () => {
    const direct = await start({ QSTASH_CURRENT_SIGNING_KEY_2: "sig_us_1", QSTASH_NEXT_SIGNING_KEY_2: "sig_us_2" });
    for (const key of [direct.queue.currentSigningKey, direct.queue.nextSigningKey, "sig_us_1", "sig_us_2"]) {
      const body = messageOf(recordOf());
      expect((await direct.post(body, await sign(body, { key, url: `${direct.url}/deliver` }))).status).toBe(200);
    }
    expect(direct.workos.events()).toHaveLength(4);
  });
});

describe("a rotation of the queue's keys", () => {
  it("refuses no message: the worker knows the next key before the queue signs with it", async () => {
    const direct = await start({});
    const authorization = `Bearer ${direct.queue.token}`;
    const publish = async () => {
      const response = await fetch(`${direct.queue.url}/v2/publish/${direct.url}/deliver`, {
        method: "POST",
        body: messageOf(recordOf()),
        headers: { authorization, "content-type": "application/json", "upstash-retries": "0" },
      });
      expect(response.ok).toBe(true);
      await direct.queue.idle();
    };
    await publish();
    await fetch(`${direct.queue.url}/v2/keys/rotate`, { method: "POST", headers: { authorization } });
    await publish();
    expect(direct.workos.events()).toHaveLength(2);
  });
});

describe("the worker's own URL", () => {
  it("may end in a slash", async () => {
    const plain = await start({});
    const vars = {
      WORKOS_API_KEY: plain.workos.apiKey,
      WORKOS_BASE_URL: `${plain.workos.url}/`,
      QSTASH_URL: `${plain.queue.url}/`,
      QSTASH_TOKEN: plain.queue.token,
      QSTASH_CURRENT_SIGNING_KEY: "sig_1",
      QSTASH_NEXT_SIGNING_KEY: "sig_2",
      AUDIT_INGEST_KEY: INGEST_KEY,
      AUDIT_ADMIN_TOKEN: ADMIN_TOKEN,
      AUDIT_WORKER_URL: "https://worker.example/",
    };
    const worker: RunningWorker = await startBuiltWorker({ vars });
    stops.push(worker);
    const body = messageOf(recordOf());
    const token = await sign(body, { key: "sig_1", url: "https://worker.example/deliver" });
    const response = await fetch(`${worker.url}/deliver`, {
      method: "POST",
      body,
      headers: { "upstash-signature": token },
    });
    expect(response.status).toBe(200);
  });
});

describe("the admin routes", () => {
  it.each(["/metrics", "/api/events/x", "/api/events?request_id=x"])(
    "%s wants the token, in its header",
    async (path) => {
      const direct = await start({});
      const ask = (url: string, authorization?: string) =>
        fetch(`${direct.url}${url}`, authorization === undefined ? {} : { headers: { authorization } });
      expect((await ask(path)).status).toBe(401);
      expect((await ask(path, "Bearer wrong")).status).toBe(401);
      expect((await ask(`${path}${path.includes("?") ? "&" : "?"}token=${ADMIN_TOKEN}`)).status).toBe(401);
      expect((await ask(path, `Bearer ${ADMIN_TOKEN}`)).status).toBe(200);
    },
  );
});
