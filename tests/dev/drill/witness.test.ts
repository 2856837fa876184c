import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { startWitness, type Witness } from "../../../dev/drill/witness.ts";

const MESSAGE = JSON.stringify({ v: 1, records: [{ id: "one" }, { id: "two" }] });
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function witnessBefore(listener: RequestListener): Promise<Witness> {
  const target = createServer(listener).listen(0, "127.0.0.1");
  await once(target, "listening");
  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  const witness = await startWitness(
    url,
    "queue",
    (_, path) => path === "/publish",
    () => 42,
  );
  stops.push(
    () => witness.stop(),
    () => new Promise((done) => target.close(done)),
  );
  return witness;
}

const post = (witness: Witness, path: string) => fetch(witness.url + path, { method: "POST", body: MESSAGE });

it("notes the records of a message that was acknowledged, and passes bytes and status on", async () => {
  const witness = await witnessBefore((request, response) => {
    response.writeHead(201, { "x-kept": "yes" });
    request.pipe(response);
  });
  const answer = await post(witness, "/publish");
  expect([answer.status, answer.headers.get("x-kept"), await answer.text()]).toEqual([201, "yes", MESSAGE]);
  expect(witness.acknowledgements).toEqual([
    { eventId: "one", path: "queue", atMs: 42 },
    { eventId: "two", path: "queue", atMs: 42 },
  ]);
});

it("notes nothing of a refusal, and counts it", async () => {
  const witness = await witnessBefore((_, response) => response.writeHead(503).end());
  expect((await post(witness, "/publish")).status).toBe(503);
  expect([witness.acknowledgements, witness.refused()]).toEqual([[], 1]);
});

it("notes nothing of other requests", async () => {
  const witness = await witnessBefore((_, response) => response.writeHead(200).end());
  await post(witness, "/other");
  expect([witness.acknowledgements, witness.refused()]).toEqual([[], 0]);
});

it("cuts its caller off where the part cuts it off", async () => {
  const witness = await witnessBefore((request) => request.socket.destroy());
  await expect(post(witness, "/publish")).rejects.toThrow("fetch failed");
  expect([witness.acknowledgements, witness.refused()]).toEqual([[], 1]);
});
