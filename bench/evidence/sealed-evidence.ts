/** Evidence of many events, sealed by the worker's own code into a folder, with an export of each organization beside it. */
import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from "node:crypto";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqlPort } from "../../dev/sql-port.ts";
import { writeExport } from "../../dev/workos/export-layouts.ts";
import type { StoredEvent } from "../../dev/workos/types.ts";
import type { EventBody } from "../../shared/event.ts";
import { mintEventId } from "../../shared/event-id.ts";
import { checkpointText, keyId, signatureLine, signedNote, verifierKey } from "../../shared/evidence/note.ts";
import { quarterStartMs } from "../../shared/evidence/quarter.ts";
import { LogStore } from "../../worker/evidence/log-store.ts";
import { sealQuarters, type SealPorts } from "../../worker/evidence/sealer.ts";
import { leafOf, sha256 } from "../../worker/ledger/leaf.ts";
import type { SealedEvent } from "../../worker/ledger/sealing.ts";

const ORIGIN = "bench.example/evidence";
/** Any time; nothing here asks for the day. */
const FIRST_QUARTER = Math.floor(Date.UTC(2026, 10, 1) / 900_000);
export const EVENTS_PER_QUARTER = 10_000;
export const ORGANIZATIONS = Array.from({ length: 10 }, (_, at) => `org_${String(at).padStart(26, "0")}`);

export interface MadeEvidence {
  readonly folder: string;
  readonly key: string;
  /** One file for each organization, in their order. */
  readonly exports: readonly string[];
  readonly since: string;
  readonly until: string;
  /** Time to seal a quarter, its events in memory and the bucket on disk. */
  readonly sealMs: readonly number[];
}

/** Makes evidence of `quarters` × `EVENTS_PER_QUARTER` events under a folder. */
export async function makeEvidence(
  under: string,
  quarters: number,
  onQuarter: (done: number) => void,
): Promise<MadeEvidence> {
  const folder = join(under, "evidence");
  const exports = ORGANIZATIONS.map((_, at) => join(under, `export-${at}.csv`));
  const signer = newSigner();
  const key = join(under, "audit-evidence.pub");
  await mkdir(folder, { recursive: true });
  await writeFile(key, `${verifierKey(sha256, ORIGIN, signer.publicKey)}\n`);
  let events: readonly SealedEvent[] = [];
  const ports = portsOf(folder, signer, () => events);
  const store = new LogStore(sqlPort(new DatabaseSync(":memory:")), sha256);
  const sealMs: number[] = [];
  for (let at = 0; at < quarters; at++) {
    const bodies = bodiesOf(FIRST_QUARTER + at);
    events = bodies.map(sealedEventOf).toSorted(([left], [right]) => (left < right ? -1 : 1));
    await appendExports(exports, bodies, at === 0);
    const startedAtMs = performance.now();
    await sealQuarters(store, ports, quarterStartMs(FIRST_QUARTER + at + 1), 1);
    sealMs.push(performance.now() - startedAtMs);
    onQuarter(at + 1);
  }
  const [since, until] = [FIRST_QUARTER, FIRST_QUARTER + quarters].map((quarter) =>
    new Date(quarterStartMs(quarter)).toISOString(),
  ) as [string, string];
  return { folder, key, exports, since, until, sealMs };
}

interface Signer {
  readonly privateKey: KeyObject;
  readonly publicKey: Uint8Array;
}

function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, publicKey: Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url") };
}

function portsOf(folder: string, { privateKey, publicKey }: Signer, events: () => readonly SealedEvent[]): SealPorts {
  const put = async (path: string, content: string | Uint8Array) => {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  };
  return {
    sha256,
    shards: 1,
    firstQuarter: () => Promise.resolve(FIRST_QUARTER),
    close: () => Promise.resolve({ isFrozen: true, events: events() }),
    facts: () =>
      Promise.resolve({
        dead_letters: { parked: 0, replayed: 0, discarded: 0, open: 0 },
        sequences: { isolates: 1, missing: 0 },
      }),
    put,
    publish: async (size, root) => {
      const text = checkpointText({ origin: ORIGIN, size, root });
      const signature = sign(null, Buffer.from(text), privateKey);
      await put("checkpoint", signedNote(text, [signatureLine(ORIGIN, keyId(sha256, ORIGIN, publicKey), signature)]));
    },
  };
}

function bodiesOf(quarter: number): readonly EventBody[] {
  const startMs = quarterStartMs(quarter);
  return Array.from({ length: EVENTS_PER_QUARTER }, (_, at) => bodyOf(startMs + 90 * at, at));
}

/** The size of a plain event: a user, two targets, and the metadata that the forwarder adds. Its ids are random, so that they do not compress. */
function bodyOf(atMs: number, at: number): EventBody {
  const id = mintEventId(atMs, randomBytes(9), 0);
  return {
    organization_id: ORGANIZATIONS[at % ORGANIZATIONS.length] ?? "",
    event: {
      action: "member.role_changed",
      occurred_at: new Date(atMs).toISOString(),
      actor: { id: `user_${at % 997}`, type: "user", name: "Ada Lovelace" },
      targets: [
        { id: `mem_${at % 7919}`, type: "member" },
        { id: `team_${at % 101}`, type: "team", name: "Analytical engines" },
      ],
      context: { location: `203.0.113.${at % 256}`, user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" },
      metadata: {
        event_id: id,
        outcome: "success",
        http_method: "PATCH",
        http_route: "/v1/teams/{teamId}/members/{memberId}",
        http_status: 200,
        duration_ms: at % 300,
        request_id: randomUUID(),
        assurance: "durable",
      },
    },
  };
}

function sealedEventOf(body: EventBody): SealedEvent {
  const { leaf } = leafOf(JSON.stringify(body));
  return [String(body.event.metadata["event_id"]), body.organization_id, leaf];
}

async function appendExports(paths: readonly string[], bodies: readonly EventBody[], isFirst: boolean): Promise<void> {
  const groups = Map.groupBy(bodies, ({ organization_id }) => organization_id);
  for (const [at, organization] of ORGANIZATIONS.entries()) {
    const csv = writeExport("json", (groups.get(organization) ?? []).map(storedOf));
    await appendFile(paths[at] ?? "", isFirst ? csv : csv.slice(csv.indexOf("\n") + 1));
  }
}

function storedOf(body: EventBody): StoredEvent {
  return { ...body, idempotency_key: undefined, received_at_ms: 0 };
}
