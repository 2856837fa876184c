import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { sqlPort } from "../../../dev/sql-port.ts";
import { DEAD_LETTER_STATES, type DeadLetterState } from "../../../shared/dead-letter.ts";
import { stateAfter, TRANSITIONS, type DeadLetterEvent } from "../../../worker/dead-letters/states.ts";
import {
  moveDeadLetters,
  readRow,
  releaseReplay,
  takeDeadLetters,
  writeRow,
} from "../../../worker/dead-letters/store.ts";
import { merge } from "../../../worker/dead-letters/merged-row.ts";
import { STEPS } from "../../../worker/replays/schema.ts";
import { migrate } from "../../../worker/storage/migration.ts";
import { eventId, letter } from "../support/letters.ts";

const EVENTS = Object.keys(TRANSITIONS) as DeadLetterEvent[];
const ALL = EVENTS.flatMap((event) => DEAD_LETTER_STATES.map((state) => [event, state] as const));

function database(...states: readonly DeadLetterState[]) {
  const sql = sqlPort(new DatabaseSync(":memory:"));
  migrate(sql, STEPS);
  for (const [index, state] of states.entries()) {
    const { row } = merge(undefined, letter(index), 1);
    if (row) writeRow(sql, { ...row, state, replay_id: "rp_1" });
  }
  const stateOf = (index: number) => readRow(sql, eventId(index))?.state;
  return { sql, stateOf };
}

describe("the state after an event", () => {
  it.each<[DeadLetterEvent, Partial<Record<DeadLetterState, DeadLetterState>>]>([
    ["failed", { open: "open", replaying: "open" }],
    ["taken", { open: "replaying" }],
    ["released", { replaying: "open" }],
    ["delivered", { open: "delivered" }],
    ["discarded", { open: "discarded" }],
    ["replay_delivered", { replaying: "delivered" }],
    ["replay_discarded", { replaying: "discarded" }],
  ])("%s", (event, expected) => {
    const found = Object.fromEntries(DEAD_LETTER_STATES.map((state) => [state, stateAfter(state, event)]));
    expect(found).toEqual({
      open: undefined,
      replaying: undefined,
      delivered: undefined,
      discarded: undefined,
      ...expected,
    });
  });

  it.each(EVENTS)("delivered and discarded are ends: %s", (event) => {
    expect([stateAfter("delivered", event), stateAfter("discarded", event)]).toEqual([undefined, undefined]);
  });
});

describe("in the database", () => {
  it.each(ALL)("%s moves a dead letter that is %s as the table says, and names it if it moved", (event, state) => {
    const { sql, stateOf } = database(state);
    const moved = moveDeadLetters(sql, event, [eventId(0)]);
    const next = stateAfter(state, event);
    expect(stateOf(0)).toBe(next ?? state);
    expect(moved).toEqual(next ? [eventId(0)] : []);
  });

  it("moves only those that are named, and only those of the replay that is named", () => {
    const { sql, stateOf } = database("replaying", "replaying");
    expect(moveDeadLetters(sql, "released", [eventId(0)], "rp_2")).toEqual([]);
    expect(moveDeadLetters(sql, "released", [eventId(0)], "rp_1")).toEqual([eventId(0)]);
    expect([stateOf(0), stateOf(1)]).toEqual(["open", "replaying"]);
  });

  it("a replay takes what is open and nothing else, and gives all of it back", () => {
    const { sql, stateOf } = database(...DEAD_LETTER_STATES);
    takeDeadLetters(
      sql,
      "rp_2",
      DEAD_LETTER_STATES.map((_, index) => [eventId(index), 7] as const),
    );
    expect(DEAD_LETTER_STATES.map((_, index) => stateOf(index))).toEqual([
      "replaying",
      "replaying",
      "delivered",
      "discarded",
    ]);
    expect(readRow(sql, eventId(0))).toMatchObject({ replay_id: "rp_2", replays: 7, accepted: 0 });
    expect(readRow(sql, eventId(1))).toMatchObject({ replay_id: "rp_1", replays: 0 });
    releaseReplay(sql, "rp_2");
    expect([stateOf(0), stateOf(1)]).toEqual(["open", "replaying"]);
  });
});
