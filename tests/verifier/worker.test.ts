/** What the worker seals, the verifier accepts: two implementations that share no code. */
import { afterAll, expect, it } from "vitest";
import { verifyEvidence } from "../../verifier/verify.mjs";
import { createEvidence, QUARTER_MS, START_MS } from "../worker/evidence/world.ts";
import { type Files, openFolder, signatureLine, signerOf } from "./evidence.ts";

const LOG = signerOf("test.example/evidence", 3);
const folder = openFolder([LOG.line]);
afterAll(() => folder.remove());

it("a log of 300 quarters, some of them quiet, with organizations of any name", async () => {
  const evidence = createEvidence(4);
  const organizations = ["org_a", "org b/ü", "org_c"];
  for (let quarter = 0; quarter < 300; quarter += 3) {
    for (const [shard, organization] of organizations.entries()) {
      const atMs = START_MS + quarter * QUARTER_MS + 1000 * shard;
      const id = evidence.idAt(atMs, shard);
      evidence.claim(shard, id, organization, atMs);
      evidence.settle(shard, id, organization, atMs + 10);
    }
  }
  for (let sealed = 0; sealed < 300; sealed += 8) await evidence.seal(START_MS + 300 * QUARTER_MS + 60_000);
  const files: Files = new Map([...evidence.bucket].map(([path, bytes]) => [path, Buffer.from(bytes)]));
  const text = String(files.get("checkpoint")).trimEnd();
  files.set("checkpoint", Buffer.from(`${text}\n\n${signatureLine(`${text}\n`, LOG)}`));
  folder.write(files);
  const rows = evidence.delivered.map(({ id, organization }) =>
    JSON.stringify({ organization_id: organization, event: { metadata: { event_id: id } } }),
  );
  const exports = [folder.beside("export.jsonl", rows.join("\n"))];
  const result = await verifyEvidence({ evidence: folder.path, key: folder.key, exports });
  expect(result).toMatchObject({ chain: "ok", ok: true, events: 300, found: 300, grade: "signed" });
  expect(result.digests).toBeGreaterThanOrEqual(298);
});
