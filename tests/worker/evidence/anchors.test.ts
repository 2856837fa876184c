/** Anchors on real parts: the worker in workerd, an authority made with `openssl ts`, and a witness. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, sign as signBytes, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StoredEvent } from "../../../dev/workos/server.ts";
import { quarterAt, quarterStartMs } from "../../../shared/evidence/quarter.ts";
import { keyId, signatureLine } from "../../../shared/evidence/note.ts";
import { sha256 } from "../../shared/evidence/sha256.ts";
import { ADMIN_TOKEN, startDirect, type Direct } from "../support/direct.ts";
import { recordsOf } from "../support/records.ts";
import { readLog } from "./reader.ts";

const ORGANIZATION = "org_01EHWNCE74X7JSDV0X3SZ3KJNY";
const ANCHOR_KEY = "whsec_dGVzdC1hbmNob3Ita2V5LTMyLWJ5dGVzLWxvbmchISE=";
const hasOpenssl = isOpensslThere();

function isOpensslThere(): boolean {
  try {
    execFileSync("openssl", ["version"]);
    return true;
  } catch {
    return false;
  }
}

interface Received {
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** A server that answers what `answer` makes of a request. */
async function serve(answer: (received: Received) => { status: number; type: string; body: string | Buffer }) {
  const received: Received[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const one = { headers: request.headers, body: await buffer(request) };
    received.push(one);
    const { status, type, body } = answer(one);
    response.writeHead(status, { "content-type": type }).end(body);
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, received, stop: () => server.close() };
}

/** An authority of the test's own, in a folder. */
function makeAuthority(folder: string): void {
  const at = (name: string) => join(folder, name);
  writeFileSync(
    at("ca.cnf"),
    `[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN=Test TSA\n[v3]\nbasicConstraints=CA:false
extendedKeyUsage=critical,timeStamping\n[tsa]\ndefault_tsa=one\n[one]\nserial=${at("serial")}\nsigner_cert=${at("cert.pem")}
signer_key=${at("key.pem")}\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\naccuracy=secs:1\n`,
  );
  writeFileSync(at("serial"), "01\n");
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config", at("ca.cnf")];
  execFileSync("openssl", [...request, "-keyout", at("key.pem"), "-out", at("cert.pem")], { stdio: "ignore" });
}

function stampWith(folder: string, query: Buffer): Buffer {
  const at = (name: string) => join(folder, name);
  writeFileSync(at("query.tsq"), query);
  const reply = ["ts", "-reply", "-config", at("ca.cnf"), "-section", "one", "-queryfile", at("query.tsq")];
  execFileSync("openssl", [...reply, "-out", at("reply.tsr")], { stdio: "ignore" });
  return readFileSync(at("reply.tsr"));
}

describe.skipIf(!hasOpenssl)("a published checkpoint", () => {
  const folder = mkdtempSync(join(tmpdir(), "audit-tsa-"));
  const witness = generateKeyPairSync("ed25519");
  const state = { isRefusing: true };
  let direct: Direct;
  /** The quarter of the events, and how many digests the log holds after it: one, or two if a quarter ended meanwhile. */
  let quarter = 0;
  let size = 0;
  let authority: Awaited<ReturnType<typeof serve>>;
  let webhook: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    makeAuthority(folder);
    authority = await serve(({ body }) => ({
      status: 200,
      type: "application/timestamp-reply",
      body: stampWith(folder, body),
    }));
    webhook = await serve(({ body }) => {
      if (state.isRefusing) return { status: 503, type: "text/plain", body: "later" };
      const text = body.toString("utf8").split("\n\n")[0] ?? "";
      const publicKey = Buffer.from(witness.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
      const signature = signBytes(null, Buffer.from(`${text}\n`), witness.privateKey);
      const line = signatureLine("witness.example", keyId(sha256, "witness.example", publicKey), signature);
      return { status: 200, type: "text/plain", body: `thank you\n${line}\n` };
    });
    const vars = {
      AUDIT_EVIDENCE_KEY: "evk_nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
      AUDIT_ORGANIZATION_ID: ORGANIZATION,
      AUDIT_TSA_URL: authority.url,
      AUDIT_ANCHOR_URL: webhook.url,
      AUDIT_ANCHOR_KEY: ANCHOR_KEY,
    };
    direct = await startDirect({ hasEvidence: true, vars });
  });

  afterAll(async () => {
    await direct.stop();
    authority.stop();
    webhook.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function files(path: string): Promise<Uint8Array | undefined> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${direct.url}/evidence/${path}`, { headers });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return response.ok ? bytes : undefined;
  }
  const checkpoint = async () => Buffer.from((await files("checkpoint")) ?? []).toString("utf8");
  /** The checkpoints that were posted, each perhaps several times. */
  const posted = () => webhook.received.map(({ body }) => body.toString("utf8"));

  it("holds what was delivered", async () => {
    const records = recordsOf(5);
    expect((await direct.deliver(records)).status).toBe(200);
    quarter = quarterAt(Date.now());
    await direct.worker.scheduled(quarterStartMs(quarter + 1));
    const { events, origin, ...log } = await readLog(files);
    size = log.size;
    expect(events.map(({ id }) => id).toSorted()).toEqual(records.map(({ id }) => id).toSorted());
    expect(origin).toBe(`${new URL(direct.url).host}/evidence`);
  });

  it("is time-stamped, as openssl confirms", async () => {
    const path = `anchors/${size}.tsr`;
    await expect.poll(() => files(path)).toBeDefined();
    writeFileSync(join(folder, "got.tsr"), (await files(path)) ?? new Uint8Array());
    writeFileSync(join(folder, "text"), `${(await checkpoint()).split("\n\n")[0]}\n`);
    const check = ["ts", "-verify", "-in", join(folder, "got.tsr"), "-data", join(folder, "text")];
    const trust = ["-CAfile", join(folder, "cert.pem"), "-partial_chain"];
    expect(execFileSync("openssl", [...check, ...trust], { stdio: "pipe" }).toString()).toContain("Verification: OK");
    // Anything else is not what was stamped.
    writeFileSync(join(folder, "text"), "another\n");
    expect(() => execFileSync("openssl", [...check, ...trust], { stdio: "pipe" })).toThrow("Command failed");
  });

  it("is posted as it is, with a signature", async () => {
    const current = await checkpoint();
    await expect.poll(posted).toContain(current);
    const { headers, body } = webhook.received[posted().indexOf(current)]!;
    const signed = () => new Webhook(ANCHOR_KEY).verify(body, headers as Record<string, string>, { jsonParse: false });
    expect(signed).not.toThrow();
  });

  it("carries the cosignature of the witness beside its own", async () => {
    state.isRefusing = false;
    await direct.worker.scheduled(quarterStartMs(quarter + 2));
    await expect.poll(async () => (await checkpoint()).trimEnd().split("\n").length).toBe(6);
    const [text = "", signatures = ""] = (await checkpoint()).split("\n\n");
    const [own = "", cosigned = ""] = signatures.split("\n");
    expect(own).toContain("/evidence ");
    const bytes = Buffer.from(cosigned.split(" ").at(-1) ?? "", "base64").subarray(4);
    expect(verify(null, Buffer.from(`${text}\n`), witness.publicKey, bytes)).toBe(true);
    await expect(readLog(files)).resolves.toMatchObject({ size: size + 1 });
  });

  it("is told to WorkOS once a day", async () => {
    const told = () => direct.workos.events().filter(({ event }) => event.action === "audit_forwarder.checkpoint");
    await expect.poll(told).not.toEqual([]);
    const [{ organization_id, event }] = told() as [StoredEvent];
    expect(organization_id).toBe(ORGANIZATION);
    const note = posted()
      .map((text) => text.split("\n"))
      .find(([, sizeText]) => sizeText === String(event.metadata["checkpoint_size"]));
    expect(event.metadata).toMatchObject({ checkpoint_root: note?.[2], checkpoint_signature: note?.[4] });
    const days = told().map((one) => one.event.occurred_at.slice(0, "2026-11-30".length));
    expect(days).toEqual([...new Set(days)]);
  });
});

describe("without its key", () => {
  it("sealing waits, says so, and delivers on", async () => {
    const direct = await startDirect({ hasEvidence: true, vars: { AUDIT_EVIDENCE_KEY: "evk_short" } });
    try {
      expect((await direct.deliver(recordsOf(1))).status).toBe(200);
      await direct.worker.scheduled(quarterStartMs(quarterAt(Date.now()) + 1));
      const { json } = await direct.admin("GET", "/health");
      expect(json).toMatchObject({
        status: "degraded",
        evidence: { state: "waiting", detail: expect.stringContaining('"AUDIT_EVIDENCE_KEY"') as string },
        incidents: [expect.objectContaining({ kind: "evidence_not_sealed" })],
      });
      expect((await direct.admin("GET", "/evidence/checkpoint")).status).toBe(404);
    } finally {
      await direct.stop();
    }
  });
});
