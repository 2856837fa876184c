/** The program as a process: what it makes of arguments, variables, stdin, stdout, stderr and its exit code. */
import { expect, test } from "vitest";
import { startRecordedApi } from "./support/recorded-api.ts";
import { json, startCli } from "./support/run-cli.ts";

const KEYS = `2026a:${Buffer.alloc(32, "a").toString("base64")}`;

test("a command that is done exits 0, with its answer on stdout", async () => {
  const ended = await startCli(["pseudonym", "ann"], { env: { AUDIT_PSEUDONYM_KEYS: KEYS } }).ended;
  expect(ended).toEqual({ code: 0, stdout: expect.stringMatching(/^ps_2026a_\S+\n$/), stderr: "" });
});

test("a command that finds something wrong exits 1", async () => {
  const ended = await startCli(["coverage", "tests/cli/fixtures/zuplo-template", "--check"]).ended;
  expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining("audit-coverage.json"), stderr: "" });
});

test("wrong use exits 2, with its error on stderr, and with --json on stdout too", async () => {
  const message = '"AUDIT_WORKER_URL" is not set; export the URL of the worker';
  const refused = { code: 2, stderr: `error[wrong_use]: ${message}\n` };
  expect(await startCli(["dead-letters", "list"]).ended).toEqual({ ...refused, stdout: "" });
  const ended = await startCli(["dead-letters", "list", "--json"]).ended;
  expect(ended).toMatchObject(refused);
  expect(json(ended)).toEqual({ error: { code: "wrong_use", message } });
});

test("reads what is piped in", async () => {
  const child = startCli(["pseudonym"], { env: { AUDIT_PSEUDONYM_KEYS: KEYS } });
  child.stdin.end("ann\n");
  const named = await startCli(["pseudonym", "ann"], { env: { AUDIT_PSEUDONYM_KEYS: KEYS } }).ended;
  expect(await child.ended).toEqual(named);
});

test.each([["--help"], ["-h"]])("%s prints the help to stdout and exits 0", async (option) => {
  const { code, stdout, stderr } = await startCli([option]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^npx audit-forwarder <command>\n/);
});

test("--version prints version and commit", async () => {
  const { code, stdout } = await startCli(["--version"]).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+ \(commit (?:[\da-f]{7}|unknown)\)\n$/);
});

test("a reader that closes the pipe of a large export is no failure", async () => {
  const letter = { event_id: "e", state: "open", class: "rejected", wrote: "no", attempts: 1, parked_at: "t" };
  const letters = Array.from({ length: 500 }, () => ({
    ...letter,
    reason: "x".repeat(2_000),
    hidden: [],
    history: [],
  }));
  const api = await startRecordedApi(({ query }) => ({
    json: { dead_letters: letters, ...(query["cursor"] ? {} : { cursor: "next" }) },
  }));
  const child = startCli(["dead-letters", "export"], { env: api.env });
  child.stdout.once("data", () => child.stdout.destroy());
  expect(await child.ended).toMatchObject({ code: 0, stderr: "exported 1000 dead letters\n" });
  await api.close();
});
