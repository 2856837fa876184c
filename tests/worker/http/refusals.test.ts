/** A refusal costs less than what it refuses: it is answered from the headers, while the body is still on its way. */
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sign, startDirect, type Direct } from "../support/direct.ts";
import { messageOf, recordOf } from "../support/records.ts";

/** Below what `/dead-letter` takes. */
const BODY_BYTES = 3_900_000;

let direct: Direct;
const sockets = new Set<Socket>();
beforeAll(async () => {
  direct = await startDirect();
});
afterAll(() => direct.stop());
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

type Headers = Readonly<Record<string, string>>;

/** Sends the headers and the beginning of a body that never ends, and answers with the status and the code of the response. */
function post(path: string, headers: Headers, beginning = "{"): Promise<{ status: number; code: string | undefined }> {
  const { hostname, port } = new URL(direct.url);
  const socket = connect(Number(port), hostname);
  sockets.add(socket);
  const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}`);
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${beginning}`);
  return new Promise((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString();
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      const code = /"code":"(\w+)"/.exec(text)?.[1];
      if (status !== undefined && code !== undefined) resolve({ status: Number(status), code });
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
  });
}

const long: Headers = { "content-length": String(BODY_BYTES) };
const chunked: Headers = { "transfer-encoding": "chunked" };
const short: Headers = { "content-length": "400000" };
const nowS = () => String(Math.floor(Date.now() / 1_000));
const webhook = (changes: Headers = {}): Headers => ({
  "webhook-id": "m1",
  "webhook-timestamp": nowS(),
  "webhook-signature": `v1,${"A".repeat(43)}=`,
  ...changes,
});

describe("an answer that waits for no body", () => {
  it.each<[string, string, () => Headers | Promise<Headers>, string]>([
    ["without a signature", "/dead-letter", () => long, "invalid_signature"],
    ["without a signature, chunked", "/dead-letter", () => chunked, "invalid_signature"],
    ["without a signature", "/deliver", () => short, "invalid_signature"],
    [
      "with the signature of another key",
      "/dead-letter",
      async () => ({
        ...long,
        "upstash-signature": await sign("{}", { key: "sig_x", url: `${direct.url}/dead-letter` }),
      }),
      "invalid_signature",
    ],
    [
      "with the signature for another route",
      "/dead-letter",
      async () => {
        const options = { key: direct.queue.currentSigningKey, url: `${direct.url}/deliver` };
        return { ...long, "upstash-signature": await sign("{}", options) };
      },
      "invalid_signature",
    ],
    ["without a signature", "/ingest", () => short, "invalid_signature"],
    [
      "with a signature that is none",
      "/ingest",
      () => ({ ...short, ...webhook({ "webhook-signature": "v1,AAAA" }) }),
      "invalid_signature",
    ],
    [
      "with a timestamp that is over",
      "/ingest",
      () => ({ ...short, ...webhook({ "webhook-timestamp": "1700000000" }) }),
      "invalid_signature",
    ],
    [
      "with a timestamp that is none",
      "/ingest",
      () => ({ ...short, ...webhook({ "webhook-timestamp": "now" }) }),
      "invalid_signature",
    ],
    ["without a token", "/api/replays", () => long, "unauthorized"],
    [
      "with a wrong token",
      "/api/dead-letters/import",
      () => ({ ...long, authorization: "Bearer wrong" }),
      "unauthorized",
    ],
    [
      "with a wrong token",
      "/api/dead-letters/x/discard",
      () => ({ ...chunked, authorization: "Bearer wrong" }),
      "unauthorized",
    ],
    ["longer than any message", "/deliver", () => long, "payload_too_large"],
    ["longer than any spilled message", "/ingest", () => ({ ...long, ...webhook() }), "payload_too_large"],
    ["for no route", "/nowhere", () => long, "not_found"],
  ])("%s: POST %s", async (_, path, headers, code) => {
    const beginning = (await headers())["transfer-encoding"] ? "1\r\n{\r\n" : "{";
    expect(await post(path, await headers(), beginning)).toMatchObject({ code });
  });

  it("is given to sixty at once, each with all of its 3.9 MB but the last byte", async () => {
    const almostAll = "x".repeat(BODY_BYTES - 1);
    const answers = await Promise.all(Array.from({ length: 60 }, () => post("/dead-letter", long, almostAll)));
    expect(answers).toEqual(Array.from({ length: 60 }, () => ({ status: 401, code: "invalid_signature" })));
  });
});

it("a signed request whose body is another is refused once that has come", async () => {
  const token = await sign(messageOf(recordOf()), {
    key: direct.queue.currentSigningKey,
    url: `${direct.url}/deliver`,
  });
  expect(await direct.post(messageOf(recordOf()), token)).toMatchObject({
    status: 401,
    json: { code: "invalid_signature", detail: 'claim "body" does not match the body' },
  });
});
