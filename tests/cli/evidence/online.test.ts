/** `verify` asks WorkOS, and `evidence pack` packs what it says; against the stand-in's exports in every layout. */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EXPORT_LAYOUTS } from "../../../dev/workos/types.ts";
import { startWorkos, type WorkosStandIn } from "../../../dev/workos/server.ts";
import type { EventBody } from "../../../shared/event.ts";
import { verifyEvidence } from "../../../verifier/verify.mjs";
import {
  bodiesIn,
  canonicalOf,
  eventOf,
  evidenceOf,
  LOG,
  openFolder,
  someQuarters,
  START_MS,
} from "../../verifier/evidence.ts";
import { json, runCli, startCli } from "../support/run-cli.ts";
import { type EvidenceServer, serveEvidence } from "./server.ts";

const quarters = someQuarters(3);
const bodies = bodiesIn(quarters);
const made = evidenceOf(quarters);
const folder = openFolder();
const SINCE = new Date(START_MS).toISOString();
const UNTIL = new Date(START_MS + 3 * 900_000).toISOString();
const idOf = (body: EventBody | undefined): string => String(body?.event.metadata["event_id"]);
let server: EvidenceServer;
let workos: WorkosStandIn;

beforeAll(async () => {
  server = await serveEvidence(made.files);
  // Exports reach back three months.
  workos = await startWorkos({ clock: { now: () => START_MS + 86_400_000 } });
});
afterAll(async () => {
  await server.stop();
  await workos.stop();
  folder.remove();
});
beforeEach(async () => {
  workos.reset();
  server.files = made.files;
  const period = { since: SINCE, until: UNTIL };
  server.api = new Map<string, unknown>([
    ["/api/verify", { ...period, isolates: 1, seen: 9, missing: 0, gaps: [] }],
    ["/api/dead-letters", { dead_letters: [] }],
    [
      "/api/replays",
      { replays: [{ id: "rp_1", state: "done", by: "bob", created_at: SINCE, selection: { event_ids: ["secret"] } }] },
    ],
    [
      "/api/incidents",
      {
        incidents: [
          {
            actions: [
              {
                action: "audit_forwarder.delivery_paused",
                by: "ann",
                at: SINCE,
                target: { type: "delivery", id: "delivery" },
              },
            ],
          },
        ],
      },
    ],
  ]);
  for (const body of bodies) await store(body);
});

async function store(body: EventBody): Promise<void> {
  const headers = { authorization: `Bearer ${workos.apiKey}`, "content-type": "application/json" };
  const answer = await fetch(`${workos.url}/audit_logs/events`, { method: "POST", headers, body: canonicalOf(body) });
  expect(answer.status).toBe(200);
}

async function tamper(change: object): Promise<void> {
  const answer = await fetch(`${workos.url}/__dev/tamper`, { method: "POST", body: JSON.stringify(change) });
  expect(answer.status).toBe(200);
}

const variables = () => ({ ...server.env, WORKOS_API_KEY: workos.apiKey, WORKOS_BASE_URL: workos.url });
const run = (args: readonly string[], env: object = {}) => runCli(args, { env: { ...variables(), ...env } });
const verify = (...more: readonly string[]) => run(["verify", "--json", "--key", folder.key, ...more]);
const worker = { seen: 9, missing_records: 0, gaps: [] };

describe("verify", () => {
  it.each(EXPORT_LAYOUTS)("compares what WorkOS exports in the layout %s", async (exportLayout) => {
    workos.knobs.exportLayout = exportLayout;
    const uncompared = exportLayout === "bare" ? bodies.length : 0;
    const whole = await verify();
    expect({ code: whole.code, ...json(whole) }).toMatchObject({
      code: 0,
      ok: true,
      found: bodies.length,
      missing: [],
      uncompared,
      ...worker,
    });
    await tamper({
      lose: [idOf(bodies[0])],
      alter: [{ event_id: idOf(bodies[1]), path: ["actor", "id"], value: "mallory" }],
      add: [eventOf("org_a", 500)],
    });
    const broken = await verify();
    expect({ code: broken.code, ...json(broken) }).toMatchObject({
      code: 1,
      ok: false,
      missing: [idOf(bodies[0])],
      altered: exportLayout === "bare" ? [] : [{ event_id: idOf(bodies[1]) }],
      unexpected: [idOf(eventOf("org_a", 500))],
    });
  });

  it("names the fields that differ if the worker keeps copies, and none without", async () => {
    await tamper({ alter: [{ event_id: idOf(bodies[1]), path: ["actor", "id"], value: "mallory" }] });
    expect(json(await verify())).toMatchObject({ altered: [{ event_id: idOf(bodies[1]), fields: [] }] });
    server.files = evidenceOf(quarters, { copies: true }).files;
    expect(json(await verify())).toMatchObject({
      altered: [{ event_id: idOf(bodies[1]), fields: ["/event/actor/id"] }],
    });
  });

  it("takes no event for added that the next digest will hold", async () => {
    const [late, old] = [eventOf("org_a", 600), eventOf("org_a", 601)];
    await tamper({ add: [late, old] });
    const fate = (body: EventBody, at: string) => ({
      event_id: idOf(body),
      state: "delivered",
      attempts: [{ n: 1, at, outcome: "delivered" }],
    });
    server.api.set(`/api/events/${idOf(late)}`, fate(late, UNTIL));
    server.api.set(`/api/events/${idOf(old)}`, fate(old, SINCE));
    expect(json(await verify())).toMatchObject({ ok: false, unexpected: [idOf(old)], unsealed: 1 });
  });

  it("still finds gaps, and says why it does not compare", async () => {
    server.api.set("/api/verify", {
      since: SINCE,
      until: UNTIL,
      isolates: 1,
      seen: 8,
      missing: 1,
      gaps: [{ isolate_id: "i", first: 1, last: 9, seen: 8, missing: [{ from: 4, to: 4 }] }],
    });
    expect(json(await verify())).toMatchObject({
      ok: false,
      missing: [],
      missing_records: 1,
      gaps: [{ isolate_id: "i" }],
    });
    const withoutKey = await run(["verify"], { WORKOS_API_KEY: "" });
    expect(withoutKey).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('not compared with WorkOS: "WORKOS_API_KEY" is not set'),
    });
    server.files = new Map();
    expect(json(await verify())).toMatchObject({ missing: [], not_compared: expect.stringContaining("no evidence") });
  });

  it("without a key file checks no signature, and says so by its grade", async () => {
    const ended = await run(["verify", "--json"]);
    expect({ code: ended.code, ...json(ended) }).toMatchObject({ code: 0, grade: "chained", chain: "ok" });
    expect(ended.stderr).toContain('the signature is not checked: there is no verifier key in "audit-evidence.pub"');
    const other = folder.beside("other.pub", `${LOG.line.replace(/^audit/, "other")}\n`);
    expect((await run(["verify", "--key", other])).stderr).toContain("not a verifier key");
  });
});

describe("verify --requests", () => {
  const check = (text: string, ...more: readonly string[]) =>
    run(["verify", "--requests", folder.beside("requests", text), ...more]);
  const lines = [
    { request_id: "r1", time: SINCE, route: "/a", method: "POST", status: 200 },
    { request_id: "r2", time: SINCE, route: "/b", method: "GET" },
    { request_id: "r3", route: "/c", method: "GET" },
  ];
  const csv = `request_id,time,route,method,status\nr1,${SINCE},/a,POST,200\nr2,${SINCE},/b,GET,\nr3,,/c,GET,\n`;
  const coverage = () =>
    folder.beside("coverage.json", '{"operations":[{"method":"GET","path":"/c","state":"exempt","reason":"health"}]}');

  it.each([
    ["JSON lines", lines.map((line) => JSON.stringify(line)).join("\n")],
    ["CSV", csv],
  ])("names the requests of %s that left no event, by route, without exempt ones", async (_, text) => {
    server.api.set("/api/events", { events: [] });
    expect(json(await check(text, "--json", "--coverage", coverage()))).toEqual({
      ok: false,
      requests: 3,
      exempt: 1,
      routes: [
        { method: "POST", route: "/a", request_ids: ["r1"] },
        { method: "GET", route: "/b", request_ids: ["r2"] },
      ],
      missing: ["r1", "r2"],
    });
    server.api.set("/api/events", { events: [{ event_id: "e", state: "dead_letter", attempts: [] }] });
    const whole = await check(text);
    expect(whole).toMatchObject({ code: 0, stdout: "0 of 3 requests left no event; 0 exempt\n" });
    expect(whole.stderr).toContain('no operation counts as exempt: there is no "audit-coverage.json" here');
  });

  it.each([
    ['{"id":1}', '"request_id" in entry 1'],
    ['{"request_id":', "neither JSON lines nor CSV"],
    ["a,b\n1,2\n", '"request_id" in entry 1'],
  ])("refuses %j", async (text, message) => {
    expect(await check(text)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});

describe("evidence pack", () => {
  const words = (out: string, more: readonly string[]) => {
    const period = ["--since", SINCE, "--until", UNTIL];
    return ["evidence", "pack", "--organization", "org_a", ...period, "--key", folder.key, "--out", out, ...more];
  };
  const pack = (out: string, ...more: readonly string[]) => run(words(out, more));

  it("is verified as it is, and made twice it has the same bytes", async () => {
    const [one, two] = ["one.zip", "two.zip"].map((name) => join(dirname(folder.path), name)) as [string, string];
    const coverage = folder.beside("audit-coverage.json", '{"operations":[]}');
    expect(await pack(one, "--coverage", coverage)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("ok: nothing was removed"),
    });
    // A zip's times have two seconds, and those of the files here differ by more.
    const env = { ...variables(), TZ: "Asia/Kathmandu" };
    const zoned = await startCli(words(two, ["--coverage", coverage]), { env }).ended;
    expect(zoned.code).toBe(0);
    expect(readFileSync(two).equals(readFileSync(one))).toBe(true);
    expect(statSync(one).mode & 0o777).toBe(0o600);
    const events = bodies.filter(({ organization_id }) => organization_id === "org_a").length;
    expect(await verifyEvidence({ evidence: one, key: folder.key })).toMatchObject({
      ok: true,
      events,
      found: events,
      exports: ["export.csv"],
    });
  });

  it("names no event of another organization, and holds what an auditor reads", async () => {
    const out = join(dirname(folder.path), "three.zip");
    await pack(out);
    const { unzipped } = await unzip(out);
    expect([...unzipped.keys()].filter((name) => !/^(leaves|tile)\//.test(name)).toSorted()).toEqual([
      "audit-evidence.pub",
      "checkpoint",
      "coverage.json",
      "dead-letters.jsonl",
      "export.csv",
      "operators.jsonl",
      "pack.json",
      "report.md",
      "verify.mjs",
    ]);
    const text = [...unzipped.values()].join("\n");
    for (const body of bodies) expect(text.includes(idOf(body)), idOf(body)).toBe(body.organization_id === "org_a");
    expect(text).not.toContain("secret");
    expect(unzipped.get("operators.jsonl")).toBe(
      `{"at":"${SINCE}","kind":"action","action":"audit_forwarder.delivery_paused","by":"ann","target":{"type":"delivery","id":"delivery"}}\n{"at":"${SINCE}","kind":"replay","id":"rp_1","by":"bob","state":"done"}\n`,
    );
  });

  it("of an altered log says so and exits 1; without a key file it is not made", async () => {
    await tamper({ lose: [idOf(bodies[0])] });
    const out = join(dirname(folder.path), "four.zip");
    expect(await pack(out)).toMatchObject({ code: 1, stdout: expect.stringContaining(idOf(bodies[0])) });
    expect(await pack(out, "--key", "none.pub")).toMatchObject({ code: 2 });
    expect(
      await run(["evidence", "pack", "--organization", "org_a", "--since", SINCE, "--until", UNTIL, "--out", out]),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no verifier key in "audit-evidence.pub"'),
    });
  });
});

/** Unpacks with the system's own tool, so that nothing of ours judges the zip. */
async function unzip(path: string): Promise<{ readonly unzipped: ReadonlyMap<string, string> }> {
  const { execFileSync } = await import("node:child_process");
  const target = `${path}.d`;
  mkdirSync(target, { recursive: true });
  const script =
    "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print('\\n'.join(z.namelist())); z.extractall(sys.argv[2])";
  const names = execFileSync("python3", ["-c", script, path, target], { encoding: "utf8" }).trim().split("\n");
  return { unzipped: new Map(names.map((name) => [name, readFileSync(join(target, name), "utf8")])) };
}
