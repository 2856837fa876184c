import { afterEach, describe, expect, test } from "vitest";
import { freePort } from "../../dev/free-port.ts";
import { problemJson, type RecordedApi, type Script, startRecordedApi, TOKEN } from "./support/recorded-api.ts";
import { json, openTerminal, runCli } from "./support/run-cli.ts";

let api: RecordedApi;
async function worker(script: Script) {
  api = await startRecordedApi(script);
  return api;
}
afterEach(() => api?.close());

const LIST = ["dead-letters", "list"];

describe("an answer that is no success becomes one line", () => {
  test.each<[string, ReturnType<Script>, number, RegExp]>([
    [
      "a wrong token",
      problemJson(401, "unauthorized", "no"),
      1,
      /^error\[unauthorized\]: the worker refuses "AUDIT_ADMIN_TOKEN"/,
    ],
    [
      "a refused parameter",
      problemJson(400, "invalid_request", '"cursor" is no cursor'),
      2,
      /^error\[wrong_use\]: "cursor" is no cursor\n$/,
    ],
    [
      "a state that does not allow it",
      problemJson(409, "conflict", "it is replaying"),
      1,
      /^error\[conflict\]: it is replaying\n$/,
    ],
    [
      "a worker that is not configured",
      problemJson(503, "missing_variable", "missing: QSTASH_URL"),
      1,
      /^error\[missing_variable\]: missing: QSTASH_URL\n$/,
    ],
    [
      "a proxy's page",
      { status: 502, text: "<h1>Bad gateway</h1>" },
      1,
      /^error\[unavailable\]: "AUDIT_WORKER_URL" answers 502 without a reason/,
    ],
    [
      "another site's page",
      { status: 200, text: "<h1>Hello</h1>" },
      1,
      /^error\[internal\]: "AUDIT_WORKER_URL" answers 200 without a reason; does it name the audit worker\?/,
    ],
    [
      "a redirect, which is not followed",
      { status: 302, headers: { location: "/elsewhere" }, json: {} },
      1,
      /^error\[internal\]: "AUDIT_WORKER_URL" answers 302/,
    ],
    [
      "another shape",
      { json: { dead_letters: [{}] } },
      1,
      /^error\[internal\]: the worker's answer has no valid "dead_letters\.0\.event_id"/,
    ],
  ])("%s", async (_name, answer, exitCode, line) => {
    const { env } = await worker(() => answer);
    const { code, stdout, stderr } = await runCli(LIST, { env });
    expect(stderr).toMatch(line);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
    expect(stderr).not.toContain(TOKEN);
    expect(api.calls.every(({ path }) => path === "/api/dead-letters")).toBe(true);
  });

  test("a worker that is not there", async () => {
    const env = { AUDIT_WORKER_URL: `http://127.0.0.1:${await freePort()}`, AUDIT_ADMIN_TOKEN: TOKEN };
    const { code, stderr } = await runCli(LIST, { env });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^error\[unavailable\]: the worker at http:\/\/127\.0\.0\.1:\d+ does not answer \(ECONNREFUSED\)/,
      ),
    });
  });
});

test("reading is tried again where the worker is away for a moment; changing is not", async () => {
  const { env, calls } = await worker((call, index) =>
    call.method === "GET" && index === 1
      ? { json: { dead_letters: [] } }
      : index === 0
        ? { reset: true }
        : problemJson(503, "unavailable", "later"),
  );
  expect(await runCli(LIST, { env })).toMatchObject({ code: 0, stdout: "no dead letters\n" });
  expect(calls).toHaveLength(2);
  expect(await runCli(["pause"], { env })).toMatchObject({ code: 1, stderr: "error[unavailable]: later\n" });
  expect(calls).toHaveLength(3);
});

test("the token travels in the header alone, and a slash at the end of the URL does no harm", async () => {
  const { env, calls, url } = await worker(() => ({ json: { paused: true, pause: { confirmed_by_queue: true } } }));
  await runCli(["pause"], { env: { ...env, AUDIT_WORKER_URL: `${url}//` } });
  expect(calls).toEqual([expect.objectContaining({ method: "POST", path: "/api/pause", query: {}, body: "" })]);
  expect(calls[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
});

describe("what a caller of the API put into a record", () => {
  const EVIL = "a\u001B]0;owned\u0007\u009B2J\u202Eb\nc\t";
  const letter = {
    event_id: "id-1",
    state: "open",
    class: "rejected",
    wrote: "no",
    reason: EVIL,
    attempts: 1,
    parked_at: "t",
    action: EVIL,
  };

  test("cannot drive the operator's terminal", async () => {
    const { env } = await worker(() => ({ json: { dead_letters: [letter] } }));
    const plain = await runCli(LIST, { env });
    expect(plain.stdout.split("\n")).toHaveLength(3);
    expect(plain.stdout).toContain(String.raw`a\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}b\u{a}c\u{9}`);
    const asJson = await runCli([...LIST, "--json"], { env });
    expect(asJson.stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(json(asJson).dead_letters[0].action).toBe(EVIL);
    const terminal = openTerminal(LIST, { env });
    await terminal.exitCode;
    for (const part of ["\u001B]0", "\u009B", "\u202E"]) expect(terminal.screen()).not.toContain(part);
  });

  test("cannot hide in an error either", async () => {
    const { env } = await worker(() => problemJson(404, "not_found", `no ${EVIL}`));
    const { stderr } = await runCli(["dead-letters", "show", "x"], { env });
    expect(stderr).not.toContain("\u001B");
    expect(stderr.split("\n")).toHaveLength(2);
  });
});

const ID = "019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a07";

test("one name for whether WorkOS may hold the event, wherever it is told", async () => {
  const fate = { event_id: ID, state: "pending", wrote: "maybe", attempts: [{ n: 1, at: "t", outcome: "retry" }] };
  const letter = { event_id: ID, state: "open", class: "exhausted", wrote: "maybe", reason: "http_503", attempts: 1 };
  const { env } = await worker(({ path }) => ({
    json: path.includes("/events/") ? fate : { ...letter, parked_at: "t", hidden: [], history: [] },
  }));
  for (const line of [
    ["trace", ID],
    ["dead-letters", "show", ID],
  ]) {
    const { stdout } = await runCli(line, { env });
    expect(stdout).toMatch(/^accepted +maybe$/m);
    expect(stdout).toMatch(/\taccepted\t/);
  }
});

describe("trace by a request id that stands for many records", () => {
  const fates = [1, 2].map((n) => ({ event_id: `ev_${n}`, state: "delivered", attempts: [] }));
  const many: Script = ({ path }) =>
    path === "/api/events"
      ? { json: { events: fates, cursor: "next-page" } }
      : { json: { ...fates[0], state: "unknown" } };

  test("says that there are more, and asks for the next page as it was told", async () => {
    const { env, calls } = await worker(many);
    const { code, stdout, stderr } = await runCli(["trace", "req-1", "--limit", "2"], { env });
    expect([code, stderr]).toEqual([0, "more records have this request id: add --cursor next-page\n"]);
    expect(stdout).toContain("ev_2");
    await runCli(["trace", "req-1", "--since", "2026-11-01T00:00:00Z", "--cursor", "next-page"], { env });
    expect(calls.at(-1)?.query).toEqual({
      request_id: "req-1",
      since: "2026-11-01T00:00:00.000Z",
      cursor: "next-page",
    });
    expect(json(await runCli(["trace", "req-1", "--json"], { env }))).toMatchObject({ cursor: "next-page" });
  });

  test.each(["0", "101", "x"])("refuses --limit %s", async (limit) => {
    const { env, calls } = await worker(many);
    const { code, stderr } = await runCli(["trace", "req-1", "--limit", limit], { env });
    expect([code, stderr]).toEqual([2, 'error[wrong_use]: "--limit" must be a whole number from 1 to 100\n']);
    expect(calls).toEqual([]);
  });
});

test("a table is aligned on a terminal and separated by tabs in a pipe", async () => {
  const rest = {
    state: "open",
    class: "exhausted",
    wrote: "no",
    reason: "http_503",
    attempts: 4,
    parked_at: "2026-11-23",
  };
  const letters = [
    { event_id: "short", ...rest },
    { event_id: "a-much-longer-event-id", ...rest },
  ];
  const { env } = await worker(() => ({ json: { dead_letters: letters, cursor: "next-page" } }));
  const piped = await runCli(LIST, { env });
  const rows = piped.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  expect(rows.map((row) => row.length)).toEqual([8, 8, 8]);
  expect(rows[1]).toEqual(["short", "2026-11-23", "exhausted", "open", "-", "-", "-", "http_503"]);
  expect(piped.stderr).toBe("more: add --cursor next-page\n");
  const terminal = openTerminal(LIST, { env });
  await terminal.exitCode;
  expect(terminal.screen()).not.toContain("\t");
  expect(terminal.screen()).toContain("EVENT ID");
});
