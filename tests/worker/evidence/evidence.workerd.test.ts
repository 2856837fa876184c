/** The evidence in workerd: real Durable Objects, a real bucket, and the routes. */
import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { fromBase64 } from "../../../shared/bytes.ts";
import { quarterAt, quarterStartMs } from "../../../shared/evidence/quarter.ts";
import { mintEventId } from "../../../shared/event-id.ts";
import { evidenceLog } from "../../../worker/evidence/client.ts";
import { ledgerPort } from "../../../worker/ledger/client.ts";
import { leafOf } from "../../../worker/ledger/leaf.ts";
import { ADMIN_TOKEN, workerEnv } from "../support/api.workerd.ts";
import { readLog } from "./reader.ts";

const ORIGIN = "worker.example/evidence";
/** The public key of the seed in the configuration of the tests, the first vector of RFC 8032, section 7.1. */
const PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

function fetchPath(path: string, init: RequestInit = {}): Promise<Response> {
  const worker = exports as unknown as { default: { fetch: typeof fetch } };
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  return worker.default.fetch(`https://worker.example${path}`, { headers, ...init });
}

const fetchEvidence = (path: string, init?: RequestInit) => fetchPath(`/evidence/${path}`, init);

async function files(path: string): Promise<Uint8Array | undefined> {
  const response = await fetchEvidence(path);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return response.status === 200 ? bytes : undefined;
}

let minted = 0;

/** Delivers events as a delivery settles them; returns what the evidence must hold. */
async function deliver(count: number, atMs: number) {
  const events = Array.from({ length: count }, () => {
    minted += 1;
    const id = mintEventId(atMs, crypto.getRandomValues(new Uint8Array(9)), minted % 200);
    const body = JSON.stringify({ organization_id: `org_${minted % 3}`, event: { metadata: { event_id: id } } });
    return { id, body, ...leafOf(body) };
  });
  const ledger = ledgerPort(workerEnv);
  const claims = events.map(({ id, body }) => ({ id, stage: "outcome" as const, body, occurredAtMs: atMs }));
  await ledger.claim("lease", claims, atMs);
  const attempt = { atMs, durationMs: 1, outcome: "delivered", wrote: "yes", status: 200 } as const;
  const settlements = events.map(({ id, leaf, organization }) => ({ id, attempt, leaf, organization }));
  await ledger.settle("lease", settlements, atMs);
  return events.map(({ id, organization, leaf }) => `${id} ${organization} ${leaf}`);
}

const quarter = quarterAt(Date.now());
const endMs = (after: number) => quarterStartMs(quarter + after);

describe("the log", () => {
  it("seals what the ledger delivered, and serves it to whoever has a token", async () => {
    const first = await deliver(150, quarterStartMs(quarter) + 1);
    // Two rounds of the cron at once.
    await Promise.all([evidenceLog(workerEnv).seal(endMs(1)), evidenceLog(workerEnv).seal(endMs(1))]);
    const second = await deliver(5, endMs(1) + 1);
    await evidenceLog(workerEnv).seal(endMs(3));
    const { origin, digests, events, note } = await readLog(files);
    expect(origin).toBe(ORIGIN);
    const sealed = (number: number) =>
      events
        .filter(({ digest }) => digest.number === number)
        .map(({ id, organization, leaf }) => `${id} ${organization} ${leaf}`)
        .toSorted();
    const last = digests.length - 1;
    expect(sealed(last - 2)).toEqual(first.toSorted());
    expect(sealed(last - 1)).toEqual(second.toSorted());
    expect(sealed(last)).toEqual([]);
    await expectSigned(note);
    expect(await (await fetchPath("/metrics")).text()).toContain(`\naudit_evidence_digests_total ${digests.length}\n`);
  });

  it("is signed again with the same bytes, so that a checkpoint names one tree", async () => {
    await evidenceLog(workerEnv).seal(endMs(4));
    const before = await (await fetchEvidence("checkpoint")).text();
    await evidenceLog(workerEnv).seal(endMs(4));
    expect(await (await fetchEvidence("checkpoint")).text()).toBe(before);
  });

  it("goes on after a restart", async () => {
    const stub = evidenceLog(workerEnv);
    await stub.seal(endMs(5));
    const stopped = runInDurableObject(
      stub as unknown as DurableObjectStub,
      (_: unknown, state: DurableObjectState) => {
        state.abort("restart");
      },
    );
    await expect(stopped).rejects.toThrow("restart");
    const events = await deliver(3, endMs(5) + 1);
    await evidenceLog(workerEnv).seal(endMs(6));
    const log = await readLog(files);
    expect(
      log.events
        .slice(-3)
        .map(({ id, organization, leaf }) => `${id} ${organization} ${leaf}`)
        .toSorted(),
    ).toEqual(events.toSorted());
  });
});

async function expectSigned(note: string): Promise<void> {
  const [text = "", signature = ""] = note.split("\n\n");
  expect(signature.startsWith(`— ${ORIGIN} `)).toBe(true);
  const bytes = fromBase64(signature.trim().split(" ").at(-1) ?? "") ?? new Uint8Array();
  const raw = fromBase64(PUBLIC_KEY) ?? new Uint8Array();
  const key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  const signed = new TextEncoder().encode(`${text}\n`);
  expect(await crypto.subtle.verify({ name: "Ed25519" }, key, bytes.subarray(4), signed)).toBe(true);
}

it("keeps copies of the bodies, in the order of the leaves", async () => {
  const log = await readLog(files);
  const { digest, organization } = log.events[0] ?? { digest: { number: 0 }, organization: "" };
  const response = await fetchEvidence(`copies/${digest.number}/${organization}.jsonl.gz`);
  expect(response.headers.get("content-type")).toBe("application/gzip");
  const text = await new Response(response.body?.pipeThrough(new DecompressionStream("gzip"))).text();
  const bodies = text.trimEnd().split("\n");
  const sealed = log.events.filter((event) => event.organization === organization && event.digest === digest);
  expect(bodies.length).toBeGreaterThan(10);
  expect(bodies.map((body) => leafOf(body).leaf)).toEqual(sealed.map(({ leaf }) => leaf));
});

describe("GET /evidence/…", () => {
  it.each([
    ["checkpoint", "text/plain; charset=utf-8"],
    ["tile/0/000.p/1", "application/octet-stream"],
    ["tile/entries/000.p/1", "application/octet-stream"],
  ])("serves %s as %s", async (path, type) => {
    await evidenceLog(workerEnv).seal(Date.now());
    const bucket = workerEnv.EVIDENCE as unknown as R2Bucket;
    if (!(await bucket.head(path))) await bucket.put(path, "x");
    const response = await fetchEvidence(path);
    await response.arrayBuffer();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
  });

  it("is closed to whoever has no token", async () => {
    const response = await fetchEvidence("checkpoint", { headers: {} });
    await response.arrayBuffer();
    expect(response.status).toBe(401);
  });

  it.each(["", "tile/0/999", "leaves/0/org_x.jsonl", "secret", "leaves/../checkpoint.jsonl"])(
    "answers 404 to %j",
    async (path) => {
      const response = await fetchEvidence(path);
      await response.arrayBuffer();
      expect(response.status).toBe(404);
    },
  );
});
