/** The verifier finds what an export lacks, changes or adds, in every layout. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { EventBody } from "../../shared/event.ts";
import { verifyEvidence, type VerifyOptions, type VerifyResult } from "../../verifier/verify.mjs";
import { bodiesIn, eventOf, evidenceOf, openFolder, type Quarter, START_MS } from "./evidence.ts";
import { csvOf, LAYOUTS, ODD } from "./exports.ts";

const folder = openFolder();
afterAll(() => folder.remove());

/** Values that the layouts may confuse: numbers as texts, empty texts, quotes, line breaks, a version, several targets. */
const quarters: readonly Quarter[] = [
  {
    org_a: [
      eventOf("org_a", 0),
      eventOf("org_a", 1, {}, { code: "007", flag: true, note: "true", amount: "12.50" }),
      eventOf("org_a", 2, {
        targets: [
          { id: "a", type: "invoice" },
          { id: "b", type: "customer", name: 'B "B", Ltd' },
        ],
      }),
    ],
    org_b: [eventOf("org_b", 0)],
  },
  {},
  { org_a: [eventOf("org_a", 1800), eventOf("org_a", 1801, {}, { geo: "DE, Hesse" })] },
];
const bodies = bodiesIn(quarters);
const idOf = ({ event }: EventBody): string => String(event.metadata["event_id"]);

async function verify(text: string, options: Partial<VerifyOptions> = {}): Promise<VerifyResult> {
  const path = folder.beside("export", text);
  return verifyEvidence({ evidence: folder.path, key: folder.key, exports: [path], ...options });
}

// oxlint-disable-next-line typescript/no-explicit-any -- an event that is changed on purpose
type Loose = Record<string, any>;

const changed = (at: number, change: (event: Loose) => void): readonly EventBody[] => {
  const copy = structuredClone<EventBody[]>([...bodies]);
  change(copy[at]?.event as unknown as Loose);
  return copy;
};

describe.each(Object.entries(LAYOUTS))("%s", (layout, write) => {
  it("is found whole", async () => {
    folder.write(evidenceOf(quarters).files);
    expect(await verify(write(bodies))).toMatchObject({
      ok: true,
      events: bodies.length,
      found: bodies.length,
      uncompared: 0,
      chain: "ok",
      grade: "signed",
    });
  });

  it("is found not to be whole when an event is lost, altered or added", async () => {
    folder.write(evidenceOf(quarters).files);
    const [lost, , altered] = bodies;
    const forged = eventOf("org_a", 77);
    const foreign = eventOf("org_a", 78, {}, { event_id: undefined });
    const rows = changed(2, (event) => (event["action"] = "invoice.paid")).slice(1);
    expect(await verify(write([...rows, forged, foreign]))).toMatchObject({
      ok: false,
      found: bodies.length - 1,
      missing: [idOf(lost as EventBody)],
      altered: [{ event_id: idOf(altered as EventBody), fields: [] }],
      unexpected: [idOf(forged)],
      foreign_rows: 1,
    });
  });

  it("names the field that was altered, with copies", async () => {
    folder.write(evidenceOf(quarters, { copies: true }).files);
    const rows = changed(1, (event) => {
      event["actor"].id = "user_2";
      event["metadata"].http_status = 403;
    });
    const { altered, ok } = await verify(write(rows));
    expect({ ok, altered }).toEqual({
      ok: false,
      altered: [{ event_id: idOf(bodies[1] as EventBody), fields: ["/event/actor/id", "/event/metadata/http_status"] }],
    });
    expect(layout).not.toBe("");
  });
});

describe("rows", () => {
  it("are compared one by one: twice is unexpected, and a true row wins over a forged one", async () => {
    folder.write(evidenceOf(quarters).files);
    const write = LAYOUTS["CSV with columns of JSON"]!;
    const [first] = bodies as [EventBody];
    expect(await verify(write([...bodies, first]))).toMatchObject({
      ok: false,
      altered: [],
      unexpected: [idOf(first)],
    });
    const [forged] = changed(0, (event) => (event["action"] = "x")) as [EventBody];
    for (const rows of [
      [forged, ...bodies],
      [...bodies, forged],
    ]) {
      expect(await verify(write(rows))).toMatchObject({ altered: [], missing: [], unexpected: [idOf(first)] });
    }
  });

  it("that mention an event id elsewhere are foreign", async () => {
    folder.write(evidenceOf(quarters).files);
    const id = idOf(bodies[0] as EventBody);
    const mentions = {
      organization_id: "org_a",
      event: {
        action: "x",
        occurred_at: "2026-11-30T10:00:00.000Z",
        actor: { id, type: "user" },
        targets: [{ id, type: "event" }],
        context: { location: "x" },
        metadata: { about: id },
      },
    };
    const text = [...bodies, mentions].map((body) => JSON.stringify(body)).join("\n");
    expect(await verify(text)).toMatchObject({ ok: true, foreign_rows: 1, unexpected: [] });
  });

  it("of an application with its own kind of event ids are foreign", async () => {
    folder.write(evidenceOf(quarters).files);
    const own = eventOf("org_a", 5, {}, { event_id: "order-77" });
    expect(await verify([...bodies, own].map((body) => JSON.stringify(body)).join("\n"))).toMatchObject({
      ok: true,
      foreign_rows: 1,
    });
  });

  it("found by a property: whatever happens to the rows is told", async () => {
    folder.write(evidenceOf(quarters).files);
    const acts = fc.array(fc.constantFrom("keep", "lose", "alter", "twice"), {
      minLength: bodies.length,
      maxLength: bodies.length,
    });
    const layouts = fc.constantFrom(...Object.keys(LAYOUTS));
    await fc.assert(
      fc.asyncProperty(acts, layouts, async (kinds, layout) => {
        const rows = bodies.flatMap((body, at) => {
          const altered = { ...body, event: { ...body.event, actor: { ...body.event.actor, id: "mallory" } } };
          return { keep: [body], lose: [], alter: [altered], twice: [body, body] }[kinds[at] ?? "keep"] ?? [];
        });
        const named = (kind: string) => bodies.filter((_, at) => kinds[at] === kind).map(idOf);
        const result = await verify(LAYOUTS[layout]!(rows));
        // Where no row of a flat export holds, its columns may lack a field.
        const open =
          /dots|underscores|titles/.test(layout) && !kinds.some((kind) => kind === "keep" || kind === "twice");
        expect(result.missing).toEqual(named("lose"));
        expect(result.unexpected).toEqual(named("twice"));
        expect(result.altered.map(({ event_id }) => event_id)).toEqual(open ? [] : named("alter"));
        expect(result.uncompared).toBe(open ? named("alter").length : 0);
        expect(result.ok).toBe(result.missing.length + result.unexpected.length + result.altered.length === 0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("columns", () => {
  it("that are unknown are mapped", async () => {
    folder.write(evidenceOf(quarters).files);
    const columns = folder.beside("columns.json", JSON.stringify(ODD.map));
    expect(await verify(ODD.write(bodies), { columns })).toMatchObject({
      ok: true,
      found: bodies.length,
      uncompared: 0,
    });
    expect(await verify(ODD.write(bodies))).toMatchObject({ ok: false, found: 0, foreign_rows: bodies.length });
  });

  it.each([
    ["user_agent", "/event/context/user_agent"],
    ["location", "/event/context/location"],
    ["targets", "/event/targets/0/id"],
  ])("that lack %s leave the events uncompared, never altered", async (column, field) => {
    const text = csvOf(
      bodies.map(({ organization_id, event }) => {
        const { context, ...rest } = event;
        const row: Record<string, unknown> = { organization_id, ...rest, ...context };
        delete row[column];
        return row;
      }),
    );
    for (const copies of [false, true]) {
      folder.write(evidenceOf(quarters, { copies }).files);
      const result = await verify(text);
      expect(result).toMatchObject({ ok: true, found: bodies.length, uncompared: bodies.length, altered: [] });
      expect(result.uncompared_fields).toContain(field);
    }
  });

  it("that are unknown are ignored, even with the name of a method", async () => {
    folder.write(evidenceOf(quarters).files);
    const rows = bodies.map((body) => ({ ...body, constructor: "x", toString: "y" }));
    expect(await verify(csvOf(rows))).toMatchObject({ ok: true, found: bodies.length, uncompared: 0 });
  });

  it("that lack the version leave events with one uncompared", async () => {
    const versioned = [eventOf("org_a", 0, { version: 3 }), eventOf("org_a", 1)];
    folder.write(evidenceOf([{ org_a: versioned }]).files);
    const text = csvOf(
      versioned.map(({ event: { version, context, ...rest } }) => ({ ...rest, ...context, known: version })),
    );
    expect(await verify(text)).toMatchObject({
      ok: true,
      found: 2,
      uncompared: 1,
      uncompared_fields: ["/event/version"],
    });
    expect(await verify(text.replace("curl", "kurl"))).toMatchObject({ ok: false, altered: [{}] });
  });
});

describe("a narrower question", () => {
  const at = (n: number): number => START_MS + n * 1000;

  it.each([
    { narrow: { since: at(1), until: at(1800) }, expected: [1, 2] },
    { narrow: { since: at(1800) }, expected: [4, 5] },
    { narrow: { until: at(1) }, expected: [0, 3] },
    { narrow: { organization: "org_b" }, expected: [3] },
    { narrow: { organization: "org_a", since: at(2) }, expected: [2, 4, 5] },
  ])("$narrow expects these events alone", async ({ narrow, expected }) => {
    folder.write(evidenceOf(quarters).files);
    const wanted = expected.map((index) => idOf(bodies[index] as EventBody));
    const all = bodies.map((body) => JSON.stringify(body)).join("\n");
    expect(await verify(all, narrow)).toMatchObject({ ok: true, events: wanted.length, found: wanted.length });
    const { missing } = await verify("", narrow);
    expect(missing.toSorted()).toEqual(wanted.toSorted());
  });

  it("does without the leaves that lie outside it", async () => {
    folder.write(evidenceOf(quarters).files);
    rmSync(join(folder.path, "leaves/0"), { recursive: true });
    expect((await verify("")).chain).toContain('digest 0: "leaves/0/org_a.jsonl" is missing');
    expect(await verify("", { since: at(1800) })).toMatchObject({ chain: "ok", events: 2 });
  });

  it("does not take an event for missing that an attacker moved out of it", async () => {
    folder.write(evidenceOf(quarters).files);
    const rows = changed(0, (event) => (event["occurred_at"] = "2020-01-01T00:00:00.000Z"));
    const text = rows.map((body) => JSON.stringify(body)).join("\n");
    expect(await verify(text, { since: at(0) })).toMatchObject({
      ok: false,
      altered: [{ event_id: idOf(bodies[0] as EventBody) }],
    });
  });
});
