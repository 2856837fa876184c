/** Nothing is refused in silence, and nothing stops in silence: what `/health`, `/metrics` and alerts say, on real parts. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ALERT_KEY, startAlertReceiver } from "../support/alerts.ts";
import { sign, startDirect, type Direct, type SignOptions } from "../support/direct.ts";
import { spill } from "../support/ingest.ts";
import { startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { messageOf, recordOf } from "../support/records.ts";
import { INGEST_KEY } from "../support/variables.ts";

const nowS = () => Math.floor(Date.now() / 1000);

describe("a refused call", () => {
  let direct: Direct;
  beforeEach(async () => {
    direct = await startDirect();
  });
  afterEach(() => direct.stop());

  const health = async () => (await direct.admin("GET", "/health")).json;
  const metrics = async () => String((await direct.admin("GET", "/metrics")).json);
  const kinds = async () => (await health()).incidents.map(({ kind }: { kind: string }) => kind);

  const call = async (options: Partial<SignOptions>, body = messageOf(recordOf())) => {
    const token = await sign(body, { key: direct.queue.currentSigningKey, url: `${direct.url}/deliver`, ...options });
    return direct.post(body, token);
  };

  it.each<[string, () => Promise<unknown>]>([
    ["key", () => call({ key: "sig_rolled_twice" })],
    ["url", () => call({ url: "https://old.example/deliver" })],
    ["clock", () => call({ claims: { exp: nowS() - 60 } })],
    ["body", () => call({ claims: { body: "AAAA" } })],
  ])("of QStash counts with its reason, and three within ten minutes are an incident: %s", async (reason, refuse) => {
    await refuse();
    await refuse();
    expect(await kinds()).toEqual([]);
    await refuse();
    expect(await metrics()).toContain(`audit_refused_total{route="/deliver",reason="${reason}"} 3`);
    expect((await health()).incidents).toMatchObject([
      { kind: "deliveries_refused", detail: `calls of QStash are refused: ${reason}` },
    ]);
    // The log comes through a pipe of its own.
    const lines = await until(
      () => direct.log().filter((line) => line["event.name"] === "audit.refused"),
      (found) => found.length > 0,
    );
    expect(lines).toMatchObject([{ "http.route": "/deliver", "error.type": reason }]);
  });

  it("of QStash for another reason than before: the open incident names the newer one, without another alert", async () => {
    const alerts = await startAlertReceiver();
    await direct.stop();
    direct = await startDirect({ vars: { AUDIT_ALERT_URL: alerts.url, AUDIT_ALERT_KEY: ALERT_KEY } });
    for (let n = 0; n < 3; n++) await call({ claims: { exp: nowS() - 60 } });
    for (let n = 0; n < 3; n++) await call({ key: "sig_rolled_twice" });
    expect((await health()).incidents).toMatchObject([
      { kind: "deliveries_refused", detail: "calls of QStash are refused: key" },
    ]);
    await until(alerts.seen, (seen) => seen.length > 0);
    expect(alerts.seen()).toEqual(["deliveries_refused started"]);
    await alerts.stop();
  });

  it("of anybody else counts, and is no incident", async () => {
    for (let n = 0; n < 4; n++) await direct.post("{}", "");
    for (let n = 0; n < 4; n++) await direct.post("{}", "a.b.c");
    await spill(direct.url, messageOf(recordOf()), { key: "whsec_b3RoZXIta2V5LTMyLWJ5dGVzLWxvbmctZW5vdWdoIQ==" });
    expect(await metrics()).toContain('audit_refused_total{route="/deliver",reason="missing"} 4');
    expect(await metrics()).toContain('audit_refused_total{route="/deliver",reason="malformed"} 4');
    expect(await metrics()).toContain('audit_refused_total{route="/ingest",reason="key"} 1');
    expect(await kinds()).toEqual([]);
  });

  it.each([
    [19, []],
    [20, ["requests_refused"]],
  ])("of %i guessed tokens within a minute: incidents %j", async (count, expected) => {
    const guesses = Array.from({ length: count }, (_, n) =>
      fetch(`${direct.url}/api/dead-letters`, { headers: { authorization: `Bearer guess-${n}` } }),
    );
    for (const { status } of await Promise.all(guesses)) expect(status).toBe(401);
    expect(await metrics()).toContain(`audit_refused_total{route="admin",reason="wrong_token"} ${count}`);
    expect(await kinds()).toEqual(expected);
  });
});

describe("the cron", () => {
  let path: LocalPath;
  beforeEach(async () => {
    path = await startLocalPath();
  });
  afterEach(() => path.stop());

  const health = async () => (await path.get("/health")).json;
  const kinds = async () => (await health()).incidents.map(({ kind }: { kind: string }) => kind);

  it("shows when it last ran and swept", async () => {
    expect((await health()).cron).toEqual({ last_at: null, last_sweep_at: null });
    const before = Date.now();
    await path.scheduled();
    const { cron, status } = await health();
    expect(status).toBe("ok");
    expect(Date.parse(cron.last_at)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(cron.last_sweep_at)).toBeGreaterThanOrEqual(before);
  });

  it("whose sweep fails three times in a row is an incident until it works", async () => {
    path.queue.setFaults({ listing: { status: 500 }, dlq: { status: 500 } });
    await path.scheduled();
    await path.scheduled();
    expect(await kinds()).not.toContain("sweep_failing");
    await path.scheduled();
    expect(await kinds()).toContain("sweep_failing");
    expect((await health()).cron.last_sweep_at).toBeNull();
    path.queue.clearFaults();
    await path.scheduled();
    expect(await kinds()).not.toContain("sweep_failing");
  });

  it("names messages with our label and another URL, and leaves them alone", async () => {
    const headers = { authorization: `Bearer ${path.queue.token}`, "content-type": "application/json" };
    const url = "http://127.0.0.1:1/deliver";
    await fetch(`${path.queue.url}/v2/publish/${url}`, {
      method: "POST",
      headers: { ...headers, "upstash-label": "audit-forwarder", "upstash-retries": "0" },
      body: messageOf(recordOf()),
    });
    await path.queue.idle();
    await path.scheduled();
    await path.scheduled();
    expect((await health()).foreign_messages).toEqual([{ url, count: 1 }]);
    expect(await kinds()).toEqual(["foreign_messages"]);
    expect((await path.get("/api/dead-letters")).json.dead_letters).toEqual([]);
    const { messages } = (await (await fetch(`${path.queue.url}/v2/dlq`, { headers })).json()) as {
      messages: object[];
    };
    expect(messages).toHaveLength(1);
  });
});

describe("a gateway with a probe", () => {
  let gateway: Server;
  const ids: string[] = [];
  beforeAll(async () => {
    gateway = createServer(({ headers }, response) => {
      ids.push(String(headers["zp-rid"]));
      response.end("ok");
    });
    await new Promise<void>((listening) => void gateway.listen(0, "127.0.0.1", listening));
  });
  afterAll(() => gateway.close());

  it("is silent once the records of two probes have not arrived, until one does", async () => {
    const { port } = gateway.address() as AddressInfo;
    const direct = await startDirect({ vars: { AUDIT_PROBE_URL: `http://127.0.0.1:${port}/items` } });
    try {
      const kinds = async () =>
        (await direct.admin("GET", "/health")).json.incidents.map(({ kind }: { kind: string }) => kind);
      await direct.worker.scheduled();
      await direct.deliver([recordOf({ requestId: ids[0] ?? "" })]);
      await direct.worker.scheduled();
      await direct.worker.scheduled();
      expect(await kinds()).toEqual([]);
      await direct.worker.scheduled();
      expect(await kinds()).toEqual(["gateway_silent"]);
      await direct.deliver([recordOf({ requestId: ids.at(-1) ?? "" })]);
      await direct.worker.scheduled();
      expect(await kinds()).toEqual([]);
    } finally {
      await direct.stop();
    }
  });
});

describe("a gateway is not called silent while the record of a probe can be among waiting messages:", () => {
  let gateway: Server;
  let direct: Direct;
  beforeEach(async () => {
    gateway = createServer((_, response) => void response.end("ok"));
    await new Promise<void>((listening) => void gateway.listen(0, "127.0.0.1", listening));
    const { port } = gateway.address() as AddressInfo;
    direct = await startDirect({ vars: { AUDIT_PROBE_URL: `http://127.0.0.1:${port}/items` } });
  });
  afterEach(async () => {
    await direct.stop();
    gateway.close();
  });

  const atQueue = (path: string, init: RequestInit = {}) =>
    fetch(`${direct.queue.url}${path}`, {
      method: "POST",
      ...init,
      headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${direct.queue.token}` },
    });
  const flow = { "upstash-flow-control-key": "former", "upstash-flow-control-value": "parallelism=1" };

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ["a pause", () => direct.admin("POST", "/api/pause"), () => direct.admin("POST", "/api/resume")],
    [
      "a full outbox",
      async () => {
        direct.queue.setFaults({ publish: { status: 503 } });
        await spill(direct.url, messageOf(recordOf()), { key: INGEST_KEY });
      },
      async () => {
        direct.queue.clearFaults();
        const outbox = async () => (await direct.admin("GET", "/health")).json.outbox.waiting;
        await until(outbox, (waiting) => waiting === 0);
      },
    ],
    [
      "another of the worker's keys is paused at QStash",
      async () => {
        await atQueue("/v2/flowControl/former/pause");
        const headers = { ...flow, "upstash-label": "audit-forwarder" };
        await atQueue(`/v2/publish/${direct.url}/deliver`, { headers, body: messageOf(recordOf()) });
      },
      () => direct.admin("POST", "/api/resume"),
    ],
  ])("%s", async (_, hold, release) => {
    const isSilent = async () => {
      const { incidents } = (await direct.admin("GET", "/health")).json;
      return incidents.some(({ kind }: { kind: string }) => kind === "gateway_silent");
    };
    await hold();
    // The first round of these learns that messages wait.
    for (let round = 0; round < 5; round++) await direct.worker.scheduled();
    expect(await isSilent()).toBe(false);
    await release();
    for (let round = 0; round < 4; round++) await direct.worker.scheduled();
    expect(await isSilent()).toBe(true);
  });
});

describe("a worker without one of its variables", () => {
  it("logs it and tells people, if the alert's own variables are right", async () => {
    const alerts = await startAlertReceiver();
    const vars = { WORKOS_API_KEY: "", AUDIT_ALERT_URL: alerts.url, AUDIT_ALERT_KEY: ALERT_KEY };
    const direct = await startDirect({ vars });
    try {
      await direct.worker.scheduled();
      await until(alerts.seen, (seen) => seen.length === 1);
      expect(alerts.seen()).toEqual(["not_configured started"]);
      expect(alerts.alerts[0]?.data.detail).toBe("variables are missing or malformed: WORKOS_API_KEY");
      const [line] = await until(
        () => direct.log().filter((one) => one["event.name"] === "audit.not_configured"),
        (found) => found.length > 0,
      );
      expect(line).toMatchObject({ "audit.variables": ["WORKOS_API_KEY"] });
    } finally {
      await direct.stop();
      await alerts.stop();
    }
  });
});

describe("a worker with a former URL", () => {
  it("still takes what was published to it", async () => {
    const direct = await startDirect({
      vars: { AUDIT_WORKER_URL_PREVIOUS: "https://old.example, https://OLDER.example/" },
    });
    try {
      for (const url of ["https://old.example/deliver", "https://older.example:443/deliver"]) {
        const body = messageOf(recordOf());
        const token = await sign(body, { key: direct.queue.currentSigningKey, url });
        expect((await direct.post(body, token)).status).toBe(200);
      }
    } finally {
      await direct.stop();
    }
  });
});
