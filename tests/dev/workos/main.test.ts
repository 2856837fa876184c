import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { eventBody } from "./harness.ts";

const MAIN = new URL("../../../dev/workos/main.ts", import.meta.url).pathname;

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
}

function spawned(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function running(...args: string[]): Promise<Running> {
  const child = spawned("--port", "0", ...args);
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  expect(line.toString()).toMatch(/^workos stand-in on http:\/\/127\.0\.0\.1:\d+\n$/);
  return { child, url: /http\S+/.exec(line.toString())?.[0] ?? "" };
}

async function ended(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawned(...args);
  const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, "close")]);
  return { code: code as number | null, out, err };
}

async function send(url: string, id: string, apiKey = "sk_test_workos"): Promise<number> {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json", "idempotency-key": id };
  return (await fetch(`${url}/audit_logs/events`, { method: "POST", headers, body: JSON.stringify(eventBody(id)) }))
    .status;
}

async function storedIn(url: string): Promise<string[]> {
  const { events } = (await (await fetch(`${url}/__dev/events`)).json()) as {
    events: { event: { metadata: { event_id: string } } }[];
  };
  return events.map(({ event }) => event.metadata.event_id);
}

test.each(["SIGINT", "SIGTERM"] as const)("%s ends it with exit code 0, held requests or not", async (signal) => {
  const { child, url } = await running();
  await send(url, "e1");
  await fetch(`${url}/__dev/faults`, { method: "POST", body: JSON.stringify({ delayMs: 3_600_000 }) });
  send(url, "e2").catch(() => undefined);
  await expect.poll(async () => await (await fetch(`${url}/__dev/requests`)).json()).toMatchObject({ total: 2 });
  child.kill(signal);
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("a taken port is one line with its code", async () => {
  const owner = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void owner.close());
  await once(owner, "listening");
  const { port } = owner.address() as AddressInfo;
  const { code, out, err } = await ended("--port", String(port));
  expect([code, out]).toEqual([1, ""]);
  expect(err).toBe(`port_taken: port "${port}" is taken; stop its owner or choose another port\n`);
});

const wrong: [name: string, args: string[], field: string][] = [
  ["a port that is no number", ["--port", "http"], "--port"],
  ["a port out of range", ["--port", "65536"], "--port"],
  ["an unknown option", ["--colour"], "--colour"],
  ["an option without its value", ["--path"], "--path"],
];

test.each(wrong)("%s is one line and exit code 2", async (_name, args, field) => {
  const { code, out, err } = await ended(...args);
  expect([code, out, err.trimEnd().split("\n").length]).toEqual([2, "", 1]);
  expect(err).toMatch(/^invalid_option: /);
  expect(err).toContain(field);
});

test("the options reach the server", async () => {
  const { url } = await running(
    "--api-key",
    "sk_test_x",
    "--organization",
    "org_1",
    "--organization",
    "org_2",
    "--strict-schemas",
  );
  expect(await send(url, "e1")).toBe(401);
  expect(await send(url, "e2", "sk_test_x")).toBe(400);
  const other = await fetch(`${url}/organizations/org_3`, { headers: { authorization: "Bearer sk_test_x" } });
  expect(other.status).toBe(404);
});

test("with a file a kill loses no answered event, and its keys still hold", async () => {
  const directory = mkdtempSync(join(tmpdir(), "workos-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "workos.db");
  const first = await running("--path", path);
  const ids = Array.from({ length: 200 }, (_, i) => `e${i}`);
  const answered: string[] = [];
  const sending = ids.map((id) =>
    send(first.url, id).then(
      () => answered.push(id),
      () => undefined,
    ),
  );
  await expect.poll(() => answered.length).toBeGreaterThan(20);
  first.child.kill("SIGKILL");
  await Promise.all(sending);
  const second = await running("--path", path);
  expect(await storedIn(second.url)).toEqual(expect.arrayContaining(answered));
  for (const id of ids) expect(await send(second.url, id)).toBe(200);
  expect((await storedIn(second.url)).toSorted()).toEqual(ids.toSorted());
});
