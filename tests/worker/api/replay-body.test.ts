/** The body of a replay request: what it means, and each wrong use refused whole. */
import { describe, expect, it } from "vitest";
import { AuditError } from "../../../shared/errors.ts";
import { parseReplayRequest } from "../../../worker/api/replay-body.ts";

function refusalOf(body: unknown): { code: string; message: string } {
  try {
    parseReplayRequest(body);
  } catch (error) {
    if (error instanceof AuditError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: "accepted", message: "" };
}

describe("what it takes", () => {
  it.each<[unknown, object]>([
    [{ all: true }, { selection: { kind: "all" }, rate: 40, dryRun: false, acceptDuplicates: false }],
    [{ event_ids: ["b", "a", "b"] }, { selection: { kind: "event_ids", eventIds: ["b", "a"] } }],
    [{ filter: { class: "rejected" } }, { selection: { kind: "filter", filter: { class: ["rejected"] } } }],
    [
      {
        filter: {
          status: [400, "none"],
          action: ["a.b"],
          since: "2026-11-01T00:00:00Z",
          until: "2026-11-02T00:00:00+01:00",
        },
      },
      {
        selection: {
          filter: {
            status: [400, "none"],
            action: ["a.b"],
            sinceMs: Date.UTC(2026, 10, 1),
            untilMs: Date.UTC(2026, 10, 1, 23),
          },
        },
      },
    ],
    [
      { all: true, dry_run: true, accept_duplicates: true, name: " outage ", rate: 0.5, stop_on_error_rate: 0 },
      { dryRun: true, acceptDuplicates: true, name: "outage", rate: 0.5, stopOnErrorRate: 0 },
    ],
    [
      {
        all: true,
        set: { action: "user.created" },
        drop: ["metadata.a", "actor.metadata.b", "targets.metadata.c"],
        map: { organization: { a: "b" } },
      },
      {
        mend: {
          set: { action: "user.created" },
          drop: ["metadata.a", "actor.metadata.b", "targets.metadata.c"],
          map: { organization: { a: "b" } },
        },
      },
    ],
  ])("%j", (body, expected) => {
    expect(parseReplayRequest(body)).toMatchObject(expected);
  });
});

describe("what it refuses", () => {
  it.each<[unknown, string]>([
    [undefined, "the body must be a JSON object"],
    [null, "the body must be a JSON object"],
    [[], "the body must be a JSON object"],
    ["all", "the body must be a JSON object"],
    [{}, 'exactly one of "event_ids", "filter" and "all" must be given'],
    [{ all: true, event_ids: ["a"] }, 'exactly one of "event_ids", "filter" and "all" must be given'],
    [{ all: true, filter: { class: "rejected" } }, 'exactly one of "event_ids", "filter" and "all" must be given'],
    [{ all: false }, '"all" must be true'],
    [{ all: "true" }, '"all" must be true'],
    [{ event_ids: [] }, '"event_ids" must be a list of 1 to 10000 event ids'],
    [{ event_ids: "a" }, '"event_ids" must be a list of 1 to 10000 event ids'],
    [{ event_ids: ["a:r1"] }, '"event_ids" must be a list of 1 to 10000 event ids'],
    [
      { event_ids: Array.from({ length: 10_001 }, (_, index) => `e${index}`) },
      '"event_ids" must be a list of 1 to 10000',
    ],
    [{ filter: {} }, '"filter" must hold at least one field'],
    [{ filter: [] }, '"filter" must be an object'],
    [{ filter: { clas: "rejected" } }, '"filter.clas" is not a field of this request'],
    [{ filter: { class: "wrong" } }, '"filter.class" must be one or more of'],
    [{ filter: { class: [] } }, '"filter.class" must be one or more of'],
    [{ filter: { status: "400" } }, '"filter.status" must be a number or "none"'],
    [{ filter: { action: "" } }, '"filter.action" must be 1 to 1000 characters'],
    [{ filter: { since: "yesterday" } }, '"filter.since" must be an ISO 8601 time with a zone'],
    [{ filter: { until: 1_700_000_000 } }, '"filter.until" must be an ISO 8601 time with a zone'],
    [
      { filter: { since: "2026-11-02T00:00:00Z", until: "2026-11-01T00:00:00Z" } },
      '"filter.since" must be before "filter.until"',
    ],
    [{ all: true, dryrun: true }, '"dryrun" is not a field of this request'],
    [{ all: true, dry_run: "yes" }, '"dry_run" must be true or false'],
    [{ all: true, accept_duplicates: 1 }, '"accept_duplicates" must be true or false'],
    [{ all: true, name: " " }, '"name" must be 1 to 100 characters'],
    [{ all: true, name: "x".repeat(101) }, '"name" must be 1 to 100 characters'],
    [{ all: true, rate: 0 }, '"rate" must be a number from 0.1 to 500'],
    [{ all: true, rate: 501 }, '"rate" must be a number from 0.1 to 500'],
    [{ all: true, rate: "40" }, '"rate" must be a number from 0.1 to 500'],
    [{ all: true, stop_on_error_rate: 1.1 }, '"stop_on_error_rate" must be a number from 0 to 1'],
    [{ all: true, set: {} }, '"set" must hold at least one field'],
    [{ all: true, set: { id: "x" } }, '"set.id" is not a field of this request'],
    [{ all: true, set: { occurred_at: "2026-11-01T00:00:00Z" } }, '"set.occurred_at" is not a field of this request'],
    [{ all: true, set: { action: "no spaces" } }, '"set.action" must be 1 to 200 letters'],
    [{ all: true, set: { action: "../schemas" } }, '"set.action" must be 1 to 200 letters'],
    [{ all: true, drop: [] }, '"drop" must be a list of "metadata.<key>"'],
    [{ all: true, drop: ["actor.id"] }, '"drop" must be a list of "metadata.<key>"'],
    [{ all: true, drop: ["metadata."] }, '"drop" must be a list of "metadata.<key>"'],
    [{ all: true, map: {} }, '"map" must hold at least one field'],
    [{ all: true, map: { route: { a: "b" } } }, '"map.route" is not a field of this request'],
    [{ all: true, map: { action: { a: "no spaces" } } }, '"map.action" must map to'],
    [{ all: true, map: { action: { "": "a.b" } } }, '"map.action" must map to'],
    [{ all: true, map: { action: { ["a".repeat(1_001)]: "a.b" } } }, '"map.action" must map to'],
    [{ all: true, map: { action: ["a.b"] } }, '"map.action" must map to'],
    [{ all: true, map: { organization: { a: 1 } } }, '"map.organization" must be 1 to 1000 characters'],
    [
      { all: true, set: { action: "a.b" }, map: { action: { a: "b" } } },
      '"set.action" and "map.action" exclude each other',
    ],
    [{ all: true, ['x\n"' + "y".repeat(100)]: 1 }, '"x??yyy'],
  ])("%j", (body, message) => {
    const refusal = refusalOf(body);
    expect(refusal.code).toBe("invalid_request");
    expect(refusal.message).toContain(message);
    expect(refusal.message.length).toBeLessThan(200);
  });
});
