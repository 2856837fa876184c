/** An upgrade: a worker that starts on the previous version's data in every object, and goes on with it. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shardOf } from "../../../shared/event-id.ts";
import { LEDGER_SHARDS } from "../../../shared/limits.ts";
import { evidenceLog } from "../../../worker/evidence/client.ts";
import { STEPS as EVIDENCE_STEPS } from "../../../worker/evidence/log-store.ts";
import { ledger } from "../../../worker/ledger/client.ts";
import { STEPS as LEDGER_STEPS } from "../../../worker/ledger/store.ts";
import { monitor } from "../../../worker/monitor/client.ts";
import { STEPS as MONITOR_STEPS } from "../../../worker/monitor/incidents.ts";
import { outboxOf } from "../../../worker/outbox/client.ts";
import { STEPS as OUTBOX_STEPS } from "../../../worker/outbox/store.ts";
import { STEPS as DEAD_LETTER_STEPS } from "../../../worker/replays/schema.ts";
import { get, post, deadLetterObject, workerEnv } from "../../worker/support/api.workerd.ts";
import { messageOf, recordOf } from "../../worker/support/records.ts";
import { sign } from "../../worker/support/sign.ts";
import { restartOn } from "./restart.workerd.ts";

const dumps: Readonly<Record<string, string>> = import.meta.glob("./v*/*.sql", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The time of the dumps. */
const NOW_MS = 1_795_999_200_000;
const [DELIVERED, RETRIED, LEASED] = [1, 2, 5].map((n) => `01a1ae27-b400-7000-8000-000${n}0000000${n}`) as [
  string,
  string,
  string,
];

/** What the stand-ins for WorkOS and QStash took. */
const sent: { readonly key: string | null; readonly body: string }[] = [];
const published: { readonly id: string; readonly body: string }[] = [];

/** The dump of the version before the newest; of the newest where there is no other. */
function previous(name: string, steps: readonly string[]): string {
  const text = dumps[`./v${Math.max(steps.length - 1, 1)}/${name}.sql`];
  if (text === undefined) throw new Error(`no dump of ${name}`);
  return text;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW_MS });
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const { pathname } = new URL(input as string);
    const headers = new Headers(init?.headers);
    const body = init?.body as string;
    if (pathname === "/audit_logs/events") {
      sent.push({ key: headers.get("idempotency-key"), body });
      return Promise.resolve(Response.json({ success: true }));
    }
    if (pathname.startsWith("/v2/publish/")) {
      published.push({ id: headers.get("upstash-deduplication-id") ?? "", body });
      return Promise.resolve(Response.json({ messageId: "msg_1" }));
    }
    if (pathname === "/v2/batch") {
      const messages = JSON.parse(body) as { headers: Record<string, string>; body: string }[];
      for (const one of messages) published.push({ id: one.headers["upstash-deduplication-id"] ?? "", body: one.body });
      return Promise.resolve(Response.json(messages.map(() => ({ messageId: "msg_2" }))));
    }
    return Promise.resolve(new Response(null, { status: 404 }));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function deliver(body: string): Promise<number> {
  const worker = exports as unknown as { default: { fetch: typeof fetch } };
  const url = "https://worker.example/deliver";
  const headers = {
    "content-type": "application/json",
    "upstash-signature": await sign(body, { key: "sig_test_current", url }),
    "upstash-message-id": "msg_1",
    "upstash-retried": "0",
  };
  const response = await worker.default.fetch(url, { method: "POST", headers, body });
  await response.arrayBuffer();
  return response.status;
}

/** Runs an object's alarm until something holds: alarms follow the machine's clock, which is not the time of the dumps. */
async function alarmUntil(object: unknown, check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(object as DurableObjectStub);
    await check();
  }, 240_000);
}

it("delivers, lists, replays, drains and seals on the previous version's data in every object", async () => {
  for (const id of [DELIVERED, RETRIED, LEASED]) {
    await restartOn(ledger(workerEnv, shardOf(id, LEDGER_SHARDS)), previous("ledger", LEDGER_STEPS));
  }
  await restartOn(deadLetterObject(), previous("archive", DEAD_LETTER_STEPS));
  await restartOn(monitor(workerEnv), previous("monitor", MONITOR_STEPS));
  await restartOn(outboxOf(workerEnv, LEASED), previous("outbox", OUTBOX_STEPS));
  await restartOn(evidenceLog(workerEnv), previous("evidence", EVIDENCE_STEPS));

  // Delivers: nothing twice, what was claimed before the upgrade with the bytes of then, and what is new.
  const fresh = recordOf({ occurredAtMs: NOW_MS });
  for (const record of [recordOf({ id: DELIVERED }), recordOf({ id: LEASED }), fresh]) {
    expect(await deliver(messageOf(record))).toBe(200);
  }
  expect(sent.map(({ body }) => body)).toEqual(['{"n":5}', expect.stringContaining(fresh.id)]);

  // Lists.
  expect((await get("/api/incidents")).json.incidents).toMatchObject([{ kind: "dead_letters_rejected" }]);
  const [replay] = (await get("/api/replays")).json.replays as { id: string }[];
  expect((await get(`/api/dead-letters/${RETRIED}`)).json).toMatchObject({ state: "replaying" });

  // Replays: the paused replay goes on, and its record is delivered.
  expect(await post(`/api/replays/${replay?.id}/resume`)).toMatchObject({ json: { state: "running" } });
  const replayed = () => published.find(({ body }) => body.includes(RETRIED))?.body;
  await alarmUntil(deadLetterObject(), () => expect(replayed()).toBeDefined());
  expect(await deliver(replayed() ?? "")).toBe(200);
  expect(sent.slice(2)).toEqual([{ key: RETRIED, body: '{"n":2}' }]);
  vi.setSystemTime(NOW_MS + 900_000);
  await alarmUntil(deadLetterObject(), async () => {
    expect((await get(`/api/dead-letters/${RETRIED}`)).json).toMatchObject({ state: "delivered" });
  });

  // Drains the outbox.
  await alarmUntil(outboxOf(workerEnv, LEASED), () => expect(published.map(({ id }) => id)).toContain(LEASED));

  // Seals what was delivered since.
  await evidenceLog(workerEnv).seal(Date.now());
  const bucket = workerEnv.EVIDENCE as unknown as R2Bucket;
  const leaves = await bucket.get(`leaves/2/${fresh.organization}.jsonl`);
  expect(await leaves?.text()).toContain(fresh.id);
});
