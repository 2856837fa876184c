import { describe, expect, it, vi } from "vitest";
import { EVENT_MAX_BYTES } from "../../shared/limits.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { cachedDirectory, keysOf, type Directory } from "../../worker/directory.ts";
import { prepareAll } from "../../worker/prepared-event.ts";
import { recordOf } from "./support/records.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it needs
type Body = any;

async function bodyOf(record: AuditRecord, directory?: Directory): Promise<Body> {
  const [prepared] = await prepareAll([record], directory);
  if (prepared?.kind !== "ready") throw new Error(`not ready: ${JSON.stringify(prepared)}`);
  return JSON.parse(prepared.body);
}

const directoryOf =
  (entries: Record<string, string>): Directory =>
  (keys) =>
    Promise.resolve(new Map(keys.flatMap((key) => (key in entries ? [[key, entries[key] ?? ""] as const] : []))));

describe("the organization", () => {
  const acme = directoryOf({ "organization:acme": "org_acme", organization: "org_default" });
  const { organization: _, ...nowhere } = recordOf();

  it.each([
    ["a WorkOS id stays as it is", recordOf({ organization: "org_1" }), acme, "org_1"],
    ["an id of another system is looked up", recordOf({ organization: "acme" }), acme, "org_acme"],
    ["an unknown one stays as it was", recordOf({ organization: "unknown" }), acme, "unknown"],
    ["none takes the default", nowhere, acme, "org_default"],
    ["without a directory it stays as it was", recordOf({ organization: "acme" }), undefined, "acme"],
  ])("%s", async (_, record, directory, expected) => {
    expect((await bodyOf(record, directory)).organization_id).toBe(expected);
  });

  it("that nobody knows makes a dead letter", async () => {
    expect(await prepareAll([nowhere], directoryOf({}))).toEqual([
      { kind: "rejected", reason: "organization_missing" },
    ]);
    expect(await prepareAll([nowhere], undefined)).toEqual([{ kind: "rejected", reason: "organization_missing" }]);
  });

  it("that has to be looked up waits for a directory that is away; others do not", async () => {
    const away: Directory = () => Promise.reject(new Error("away"));
    const prepared = await prepareAll([recordOf({ organization: "acme" }), recordOf(), nowhere], away);
    expect(prepared.map((made) => made.kind)).toEqual(["retry", "ready", "retry"]);
    expect(prepared[0]).toEqual({ kind: "retry", reason: "directory_unreachable" });
  });
});

describe("invisible characters", () => {
  it("reach WorkOS only as their escapes, whoever wrote the record, and are marked", async () => {
    const bad = "a\u202Eb";
    const party = { id: bad, type: "user", name: bad };
    const record = recordOf({ actor: party, targets: [party], userAgent: bad, metadata: { note: bad }, method: bad });
    const body = await bodyOf({ ...record, geo: { city: bad } });
    expect(JSON.stringify(body)).not.toContain("\u202E");
    expect(body.event.actor).toMatchObject({ id: String.raw`a\u{202e}b`, name: String.raw`a\u{202e}b` });
    expect(body.event.metadata.truncated).toMatch(/actor\.id:[0-9a-f]{32}/);
  });

  it("are escaped in a name from the directory", async () => {
    const directory = directoryOf({ "name:user:u1": "A\u200Bda" });
    const body = await bodyOf(recordOf({ actor: { id: "u1", type: "user" } }), directory);
    expect(body.event.actor.name).toBe(String.raw`A\u{200b}da`);
  });
});

describe("names", () => {
  it("come from the directory for an actor and targets without one, never for nobody or a route", async () => {
    const record = recordOf({
      actor: { id: "u1", type: "user" },
      targets: [
        { id: "t1", type: "team", name: "Own" },
        { id: "t2", type: "team" },
        { id: "/x", type: "route" },
      ],
    });
    expect(keysOf([record])).toEqual(["name:user:u1", "name:team:t2"]);
    const directory = directoryOf({ "name:user:u1": "Ada", "name:team:t1": "Other", "name:team:t2": "Team 2" });
    const { event } = await bodyOf(record, directory);
    expect(event.actor.name).toBe("Ada");
    expect(event.targets.map(({ name }: { name?: string }) => name)).toEqual(["Own", "Team 2", undefined]);
  });

  it("need at most one call of a hundred keys, organizations first", () => {
    const many = Array.from({ length: 90 }, (_, n) =>
      recordOf({ organization: `o${n}`, actor: { id: `u${n}`, type: "user" }, targets: [] }),
    );
    const keys = keysOf(many);
    expect(keys).toHaveLength(100);
    expect(keys.filter((key) => key.startsWith("organization:"))).toHaveLength(90);
  });
});

describe("a key that KV does not take, longer than 512 bytes,", () => {
  const long = "é".repeat(300);

  it("is not asked for: nothing is known by it, and the others are found", async () => {
    const records = [
      recordOf({ organization: long, actor: { id: long, type: "user" }, targets: [] }),
      recordOf({ organization: "acme", actor: { id: "u1", type: "user" }, targets: [] }),
    ];
    expect(keysOf(records)).toEqual(["organization:acme", "name:user:u1"]);
    const directory = directoryOf({ "organization:acme": "org_acme" });
    expect((await prepareAll(records, directory)).map(({ kind }) => kind)).toEqual(["ready", "ready"]);
    expect((await bodyOf(records[0] as AuditRecord, directory)).organization_id).toBe(long);
  });

  it("is one byte longer than the longest that is asked for", () => {
    const idOf = (bytes: number) => "é".repeat(10) + "a".repeat(bytes - "organization:".length - 20);
    expect(keysOf([recordOf({ organization: idOf(512), targets: [] })])).toHaveLength(1);
    expect(keysOf([recordOf({ organization: idOf(513), targets: [] })])).toEqual([]);
  });
});

describe("the directory's cache", () => {
  it("asks for what it does not know, once, and again when that is old", async () => {
    let nowMs = 1_000_000;
    const get = vi.fn<(keys: string[]) => Promise<Map<string, string | null>>>((keys) =>
      Promise.resolve(new Map(keys.map((key) => [key, key.startsWith("name:") ? `N ${key}` : null]))),
    );
    const directory = cachedDirectory({ get }, () => nowMs);
    expect(await directory(["name:a:1", "organization"])).toEqual(new Map([["name:a:1", "N name:a:1"]]));
    expect(await directory(["name:a:1", "organization"])).toEqual(new Map([["name:a:1", "N name:a:1"]]));
    expect(get.mock.calls).toEqual([[["name:a:1", "organization"]]]);
    nowMs += 60_001;
    await directory(["name:a:1", "organization"]);
    expect(get.mock.calls.at(-1)).toEqual([["organization"]]);
    nowMs += 300_001;
    await directory(["name:a:1"]);
    expect(get.mock.calls.at(-1)).toEqual([["name:a:1"]]);
  });

  it("takes no line break that a value was piped in with, and nothing for a blank one", async () => {
    const get = () =>
      Promise.resolve(
        new Map([
          ["organization", "org_1\n"],
          ["name:a:1", " \n"],
        ]),
      );
    expect(await cachedDirectory({ get }, () => 0)(["organization", "name:a:1"])).toEqual(
      new Map([["organization", "org_1"]]),
    );
  });

  it("gives up on a store that does not answer, and asks again the next time", async () => {
    vi.useFakeTimers();
    try {
      const get = vi.fn<() => Promise<Map<string, string | null>>>(() => new Promise(() => {}));
      const directory = cachedDirectory({ get }, Date.now);
      const failure = directory(["organization"]).catch((error: Error) => error.message);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await failure).toBe("the directory does not answer");
      get.mockImplementation(() => Promise.resolve(new Map([["organization", "org_1"]])));
      expect(await directory(["organization"])).toEqual(new Map([["organization", "org_1"]]));
    } finally {
      vi.useRealTimers();
    }
  });
});

it.each(["__proto__", "constructor", "toString"])("the action %s has no schema version of its own", async (action) => {
  expect((await bodyOf(recordOf({ action }))).event).not.toHaveProperty("version");
});

describe("a record that WorkOS would refuse", () => {
  const LONG = "😀".repeat(600);

  it.each([
    ["a long value", { metadata: { note: LONG } }, "metadata.note:"],
    ["an illegal key", { metadata: { "http.status": 1 } }, "metadata.http_status:"],
    [
      "too many keys",
      { metadata: Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, n])) },
      "metadata:",
    ],
    [
      "too many targets",
      { targets: Array.from({ length: 25 }, (_, n) => ({ id: `t${n}`, type: "team" })) },
      "targets:",
    ],
    ["a long action", { action: "a".repeat(300) }, "action:"],
    ["a long user agent", { userAgent: LONG }, "userAgent:"],
  ] as const)("with %s is cut to the limits and says so", async (_, fields, mark) => {
    const { event } = await bodyOf(recordOf(fields));
    expect(event.metadata.truncated).toMatch(new RegExp(`^${mark.replaceAll(".", "\\.")}[0-9a-f]{32}`));
    expect(Object.keys(event.metadata).length).toBeLessThanOrEqual(50);
    for (const [key, value] of Object.entries<unknown>(event.metadata)) {
      expect(key).toMatch(/^[a-zA-Z0-9_-]{1,40}$/);
      expect(Array.from(String(value)).length).toBeLessThanOrEqual(500);
    }
    expect(event.targets.length).toBeLessThanOrEqual(20);
  });

  it("by its size alone is cut below 60 kB, with names from the directory too", async () => {
    const big = "x".repeat(500);
    const metadata = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, big]));
    const targets = Array.from({ length: 20 }, (_, n) => ({ id: `${n}${big}`.slice(0, 500), type: "team", metadata }));
    const record = recordOf({ metadata, targets });
    const directory: Directory = (keys) => Promise.resolve(new Map(keys.map((key) => [key, "名".repeat(500)])));
    const body = await bodyOf(record, directory);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(EVENT_MAX_BYTES);
    expect(body.event.metadata.truncated).toContain("metadata:");
  });

  it("an untouched record says nothing of a cut", async () => {
    expect((await bodyOf(recordOf({ metadata: { note: "x".repeat(500) } }))).event.metadata).not.toHaveProperty(
      "truncated",
    );
  });
});
