/** A delivery under a virtual clock: the real ledger over `node:sqlite`, a WorkOS that forgets keys after 24 h, a list of dead letters. */
import { DatabaseSync } from "node:sqlite";
import { sqlPort } from "../../../dev/sql-port.ts";
import type { Verdict } from "../../../shared/outcome.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import type { DeadLetterEntry } from "../../../worker/dead-letters/entry.ts";
import { deliverRecords } from "../../../worker/delivery/record-delivery.ts";
import type { Delivery, DeliverPorts, RecordEvent, RecordResult } from "../../../worker/delivery/ports.ts";
import { LedgerShard } from "../../../worker/ledger/shard.ts";
import type { Sql } from "../../../worker/storage/sql.ts";
import { prepareAll } from "../../../worker/prepared-event.ts";
import type { WorkosReply } from "../../../worker/workos.ts";

export function memorySql(): Sql {
  return sqlPort(new DatabaseSync(":memory:"));
}

const OK: WorkosReply = { answer: { kind: "response", status: 200, json: { success: true } } };
const WINDOW_MS = 24 * 3_600_000;

interface Stored {
  readonly key: string;
  readonly body: string;
  readonly atMs: number;
}

/** What happens to one request instead of being stored and answered. */
type Trouble = (request: Stored) => { readonly stored: boolean; readonly sent: WorkosReply } | undefined;

export function createWorld() {
  let nowMs = 1_800_000_000_000;
  const shard = new LedgerShard(memorySql());
  const events: Stored[] = [];
  const requests: Stored[] = [];
  const deadLetters: DeadLetterEntry[] = [];
  const observed: RecordEvent[] = [];
  const heard: Verdict[] = [];
  const state = { trouble: (() => undefined) as Trouble, sendMs: 50, openNow: 0, mostOpen: 0, leases: 0 };

  const ports: DeliverPorts = {
    now: () => nowMs,
    ledger: {
      claim: (lease, claims, at) => Promise.resolve(shard.claim(lease, claims, at)),
      settle: (lease, settlements, at) => Promise.resolve(shard.settle(lease, settlements, at)),
    },
    prepare: (records) => prepareAll(records, undefined),
    async send(body, key) {
      const request = { key, body, atMs: nowMs };
      requests.push(request);
      state.openNow += 1;
      state.mostOpen = Math.max(state.mostOpen, state.openNow);
      await Promise.resolve();
      nowMs += state.sendMs;
      state.openNow -= 1;
      const trouble = state.trouble(request);
      if (trouble ? trouble.stored : true) store(request);
      return trouble?.sent ?? OK;
    },
    park: (entries) => {
      deadLetters.push(...entries);
      return Promise.resolve();
    },
    heard: (verdicts) => void heard.push(...verdicts),
    observe: (event) => observed.push(event),
  };

  function store(request: Stored): void {
    const known = events.some(({ key, atMs }) => key === request.key && request.atMs - atMs < WINDOW_MS);
    if (!known) events.push(request);
  }

  return {
    shard,
    events,
    requests,
    deadLetters,
    observed,
    heard,
    state,
    ports,
    now: () => nowMs,
    advance(ms: number) {
      nowMs += ms;
    },
    deliver(
      records: readonly AuditRecord[],
      changed: Partial<DeliverPorts> = {},
      delivery: Partial<Delivery> = {},
    ): Promise<readonly RecordResult[]> {
      state.leases += 1;
      return deliverRecords(records, { lease: `L${state.leases}`, retried: 0, ...delivery }, { ...ports, ...changed });
    },
    entry: (id: string) => shard.lookup([id], nowMs)[0],
  };
}

export const answered = (status: number, retryAfter?: string): WorkosReply => ({
  answer: { kind: "response", status, json: { message: "m" }, ...(retryAfter === undefined ? {} : { retryAfter }) },
});
export const lost: WorkosReply = { answer: { kind: "timeout" } };
