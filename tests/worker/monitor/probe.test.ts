/** One round of probes: which events go out, in what order, and what is found out. */
import { describe, expect, it } from "vitest";
import type { LedgerAttempt } from "../../../worker/ledger/types.ts";
import type { ProbeSource } from "../../../worker/monitor/breaker.ts";
import { probe, sendLate, type ProbePorts } from "../../../worker/monitor/probe.ts";
import type { WorkosReply } from "../../../worker/workos.ts";

const answer = (status: number, json: unknown = { message: "m" }): WorkosReply => ({
  answer: { kind: "response", status, json },
});
const OK = answer(200, { success: true });
const DOWN = answer(503);
const REFUSED = answer(422);

interface Round {
  /** Events that wait in the ledger, oldest attempt first. */
  readonly waiting?: readonly string[];
  /** Events of messages that wait at QStash. */
  readonly untried?: readonly string[];
  readonly source?: ProbeSource;
  readonly answers: (id: string) => WorkosReply;
}

async function round({ waiting = [], untried = [], source = "ledger", answers }: Round) {
  const sent: string[] = [];
  const settled = new Map<string, LedgerAttempt["outcome"]>();
  const queue = [...untried];
  const event = (id: string) => ({ id, key: `key of ${id}`, body: `body of ${id}` });
  const asked: number[] = [];
  const found = await probe(
    {
      now: () => 0,
      candidates: () => Promise.resolve(waiting.map((id) => ({ id, touchedMs: 0 }))),
      claim: (id) => Promise.resolve(event(id)),
      claimUntried: () => Promise.resolve(queue.length > 0 ? event(queue.shift() ?? "") : undefined),
      send(body, key) {
        const id = key.slice("key of ".length);
        expect(body).toBe(`body of ${id}`);
        sent.push(id);
        return Promise.resolve(answers(id));
      },
      settle: ({ id }, { outcome }) => Promise.resolve(void settled.set(id, outcome)),
      turn: () => Promise.resolve(),
      isStopped: () => false,
    },
    (count) => {
      asked.push(count);
      return source;
    },
  );
  expect(asked).toEqual([waiting.length]);
  return { found, sent, settled };
}

const downFor = (prefix: string) => (id: string) => (id.startsWith(prefix) ? DOWN : OK);
const POISONED = ["p1", "p2", "p3", "p4", "p5", "p6"];

it.each<[string, Round, object, readonly string[]]>([
  [
    "an outage",
    { waiting: ["a", "b"], untried: ["n"], answers: () => DOWN },
    { kind: "down", source: "ledger" },
    ["a"],
  ],
  ["WorkOS up again", { waiting: ["a", "b"], answers: () => OK }, { kind: "up", delivered: 2 }, ["a", "b"]],
  [
    "a refusal, which says that WorkOS is up",
    { waiting: ["a"], answers: () => REFUSED },
    { kind: "up", delivered: 0 },
    ["a"],
  ],
  ["a refused key", { waiting: ["a"], answers: () => answer(401) }, { kind: "refused", reason: "http_401" }, ["a"]],
  ["nothing to try with", { answers: () => OK }, { kind: "up", delivered: 0 }, []],
  [
    "an outage, asked with an event that nobody has tried",
    { waiting: ["a"], untried: ["n", "m"], source: "queue", answers: () => DOWN },
    { kind: "down", source: "queue" },
    ["n"],
  ],
  [
    "one event that fails by itself: another says that WorkOS is up",
    { waiting: ["p1"], untried: ["n"], source: "queue", answers: downFor("p") },
    { kind: "up", delivered: 1 },
    ["n", "p1"],
  ],
  [
    "one event that fails by itself while nothing else waits",
    { waiting: ["p1"], source: "queue", answers: downFor("p") },
    { kind: "down", source: "ledger" },
    ["p1"],
  ],
  [
    "an empty ledger and a message at QStash",
    { untried: ["n"], answers: () => OK },
    { kind: "up", delivered: 1 },
    ["n"],
  ],
  [
    "many events that fail by themselves: a second one says that WorkOS is still up",
    { waiting: POISONED, untried: ["n", "m"], source: "queue", answers: downFor("p") },
    { kind: "up", delivered: 2 },
    ["n", ...POISONED.slice(0, 5), "m"],
  ],
  [
    "WorkOS that goes down again after one event",
    { waiting: POISONED, untried: ["n", "m"], source: "queue", answers: (id) => (id === "n" ? OK : DOWN) },
    { kind: "down", source: "queue" },
    ["n", ...POISONED.slice(0, 5), "m"],
  ],
])("%s", async (_, given, found, sent) => {
  const ended = await round(given);
  expect(ended.found).toEqual(found);
  // The lanes that were under way when the fifth failed may send a few more.
  expect(ended.sent.filter((id) => sent.includes(id))).toEqual(sent);
  for (const id of ended.sent) expect(ended.settled.get(id)).toBe(given.answers(id) === OK ? "delivered" : "retry");
});

describe("late events", () => {
  const MINUTE = 60_000;

  /** Events that wait, by the minutes since their last attempt. */
  async function late(
    waiting: Readonly<Record<string, number>>,
    answers: (id: string) => WorkosReply,
    isStopped = () => false,
  ) {
    const sent: string[] = [];
    const nowMs = 100 * MINUTE;
    const ports: ProbePorts = {
      now: () => nowMs,
      candidates: () =>
        Promise.resolve(Object.entries(waiting).map(([id, minutes]) => ({ id, touchedMs: nowMs - minutes * MINUTE }))),
      claim: (id) => Promise.resolve({ id, key: id, body: "{}" }),
      claimUntried: () => Promise.reject(new Error("no late event waits at the queue")),
      send(_, key) {
        sent.push(key);
        return Promise.resolve(answers(key));
      },
      settle: () => Promise.resolve(),
      turn: () => Promise.resolve(),
      isStopped,
    };
    return { delivered: await sendLate(ports), sent };
  }

  it("are those whose last attempt is at least 4 minutes ago", async () => {
    const waiting = { old: 60, five: 5, four: 4, three: 3.9, new: 0 };
    expect(await late(waiting, () => OK)).toEqual({ delivered: 3, sent: ["old", "five", "four"] });
  });

  it("that fail by themselves do not hold up the others", async () => {
    expect(await late({ p1: 9, a: 8, p2: 7, b: 6 }, downFor("p"))).toEqual({
      delivered: 2,
      sent: ["p1", "a", "p2", "b"],
    });
  });

  it("are not all sent where WorkOS fails", async () => {
    const waiting = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`e${n}`, 10]));
    const { delivered, sent } = await late(waiting, () => DOWN);
    expect(delivered).toBe(0);
    expect(sent.length).toBeLessThan(10);
  });

  it("are not sent while delivery is paused", async () => {
    expect(
      await late(
        { a: 9 },
        () => OK,
        () => true,
      ),
    ).toEqual({ delivered: 0, sent: [] });
  });
});
