/** What an operator does becomes an audit event of its own, and can be switched off. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { OPERATOR_ACTIONS } from "../../shared/operator-actions.ts";
import { decodeMessage } from "../../worker/message/decoded-message.ts";
import { enrich } from "../../worker/enrichment.ts";
import { environmentOf, type Env, type PlatformEnv } from "../../worker/env.ts";
import { operatorRecord, recordLook, recordOperatorEvent, type OperatorEvent } from "../../worker/operator-event.ts";
import type { Settings } from "../../worker/variables.ts";
import { outboxOf } from "../../worker/outbox/client.ts";

const workerEnv = environmentOf(env as unknown as PlatformEnv);
const EVENT: OperatorEvent = {
  action: "audit_forwarder.replay_started",
  route: "/api/replays",
  target: { id: "rp_1", type: "replay", name: "outage" },
  metadata: { send: 3, skip: 0, duplicates_possible: 0, accept_duplicates: false, mend: false },
};

type Switches = Pick<Settings, "AUDIT_OPERATOR_EVENTS" | "AUDIT_ORGANIZATION_ID">;

/** A request of Ann's. */
const acting = (switches: Switches, bindings: Env = workerEnv) => ({
  env: bindings,
  settings: switches as Settings,
  operator: { name: "ann", role: "operate" } as const,
  receivedMs: Date.now(),
});
const ON: Switches = { AUDIT_OPERATOR_EVENTS: "on", AUDIT_ORGANIZATION_ID: "org_ops" };

/** What the outbox holds, whichever shard took it. */
async function stored(): Promise<string[]> {
  const found: string[] = [];
  for (const id of ["a", "b", "c", "d", "e", "f", "g", "h"]) {
    await runInDurableObject(outboxOf(workerEnv, id), (_, { storage }) => {
      const [table] = storage.sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%body%'")
        .toArray();
      if (!table) return;
      found.push(
        ...storage.sql
          .exec<{ body: string }>(`SELECT body FROM ${table.name}`)
          .toArray()
          .map(({ body }) => body),
      );
    });
  }
  return [...new Set(found)];
}

it("is stored in the outbox before the operator gets an answer, as a record like any other", async () => {
  vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("", { status: 503 }));
  await recordOperatorEvent(acting(ON), EVENT);
  const [body, ...others] = await stored();
  expect(others).toEqual([]);
  const decoded = decodeMessage(new TextEncoder().encode(body));
  expect(decoded).toMatchObject({
    kind: "message",
    records: [
      {
        action: EVENT.action,
        organization: "org_ops",
        actor: { id: "ann", type: "operator" },
        metadata: EVENT.metadata,
      },
    ],
  });
});

it.each([
  ["it is switched off", { AUDIT_OPERATOR_EVENTS: "off", AUDIT_ORGANIZATION_ID: "org_ops" }],
  ["no organization is set", { AUDIT_OPERATOR_EVENTS: "on", AUDIT_ORGANIZATION_ID: undefined }],
] as const)("is not made where %s", async (_, settings) => {
  const before = await stored();
  await recordOperatorEvent(acting(settings), EVENT);
  expect(await stored()).toEqual(before);
});

describe("while the outbox does not answer", () => {
  const outbox = { getByName: () => ({ add: () => Promise.reject(new Error("down")) }) };
  const broken = { ...workerEnv, OUTBOX: outbox } as unknown as Env;

  it("what was done is answered all the same", async () => {
    await expect(recordOperatorEvent(acting(ON, broken), EVENT)).resolves.toBeUndefined();
  });

  it("nobody is shown anything without a trace", async () => {
    await expect(recordLook(acting(ON, broken), EVENT)).rejects.toThrow("down");
  });
});

it("is one line of the log that names who did what, also if no event is sent", async () => {
  const log = vi.spyOn(console, "log");
  await recordOperatorEvent(acting({ AUDIT_OPERATOR_EVENTS: "off", AUDIT_ORGANIZATION_ID: undefined }), EVENT);
  expect(log.mock.calls.map(([line]) => JSON.parse(String(line)))).toContainEqual({
    severity_text: "INFO",
    "event.name": "audit.operator_action",
    "http.route": "/api/replays",
    "audit.action": "audit_forwarder.replay_started",
    "user.name": "ann",
    "audit.targets": ["replay rp_1"],
  });
});

it("has the target and the metadata that its schema in WorkOS declares", () => {
  const record = operatorRecord(EVENT, "ann", "org_ops", 1_790_000_000_000, new Uint8Array(9));
  const schema = OPERATOR_ACTIONS["audit_forwarder.replay_started"];
  expect(enrich(record)?.event.targets[0]?.type).toBe(schema.target);
  expect(Object.keys(EVENT.metadata ?? {})).toEqual(Object.keys(schema.metadata));
});
