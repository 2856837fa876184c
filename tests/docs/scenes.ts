/** Where the command blocks of a page run. A block names its scene by `<!-- run: name -->`; without a name it is `clean`. */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, vi } from "vitest";
import { mintEventId } from "../../shared/event-id.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { bodiesIn, evidenceOf, LOG, someQuarters } from "../verifier/evidence.ts";
import { LAYOUTS } from "../verifier/exports.ts";
import { PATIENCE_MS, startDelivery, type Delivery } from "./delivery.ts";
import { ROOT } from "./pages.ts";

export interface Scene {
  /** Added to the environment of every command. */
  readonly env: Readonly<Record<string, string>>;
  /** Texts of the page with what replaces them here: an event id holds the time of its request, and the reader puts in own secrets. */
  readonly replacements?: ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

/** Every scene by its name; each is started once a page, so that later blocks see what earlier ones did. */
export const SCENES: Readonly<Record<string, () => Promise<Scene>>> = {
  clean,
  /** A gateway with two pseudonym keys. */
  pseudonyms: async () => withEnv(await clean(), { AUDIT_PSEUDONYM_KEYS: `2026b:${KEY_B},2026a:${KEY_A}` }),
  /** Evidence of three digests, its key, and an export that has all of it. */
  evidence,
  /** A WorkOS environment in which nothing is registered. */
  workos: () => incident({ strict: true, bodies: [], until: async () => undefined }),
  /** Three records are in WorkOS. */
  delivered: () => incident({ until: (delivery) => eventsAre(delivery, 3) }),
  /** WorkOS knows none of the actions. */
  rejected: () => incident({ strict: true, until: (delivery) => deadLettersAre(delivery, 3) }),
  /** WorkOS failed until the last attempt and is well again. */
  exhausted: () =>
    incident({
      // Something that is no outage: for that the breaker keeps the attempts.
      before: ({ workos }) => workos.faults.add({ status: 409, body: { message: "Conflict" } }),
      until: async (delivery) => {
        await deadLettersAre(delivery, 3, 21 * 3_600_000);
        delivery.workos.faults.clear();
      },
    }),
  /** WorkOS is down, and the breaker has paused delivery. */
  outage: () =>
    incident({
      before: ({ workos }) => workos.faults.add({ answer: "internal_error" }),
      bodies: Array.from({ length: 6 }, (_, index) =>
        bodyOf(record(Date.now(), index + 1, "member.invited", "/members")),
      ),
      until: (delivery) => pausedIs(delivery, "breaker"),
    }),
  /** Signing keys were rolled twice: QStash signs with a key that the worker does not have. */
  "keys rolled twice": () =>
    incident({
      bodies: [],
      until: async ({ worker }) => {
        for (let n = 0; n < 3; n++) await refusedDelivery(worker.url);
      },
    }),
  /** WorkOS refuses the API key, which pauses delivery. */
  credential: () =>
    incident({ before: ({ workos }) => workos.keys.rotate("sk_test_new"), until: (delivery) => pausedIs(delivery) }),
  /** The same, and the key has been put right. */
  "credential mended": () =>
    incident({
      before: ({ workos }) => workos.keys.rotate("sk_test_new"),
      until: async (delivery) => {
        await pausedIs(delivery);
        delivery.workos.keys.rotate("sk_test_workos");
      },
    }),
  /** A message that nobody can read. */
  unreadable: () =>
    incident({ bodies: ['{"v":1,"records":"garbled'], until: (delivery) => deadLettersAre(delivery, 1) }),
};

async function evidence(): Promise<Scene> {
  const scene = await clean();
  const home = scene.env["HOME"] ?? "";
  const quarters = someQuarters();
  for (const [name, bytes] of evidenceOf(quarters).files) {
    await mkdir(dirname(join(home, "evidence", name)), { recursive: true });
    await writeFile(join(home, "evidence", name), bytes);
  }
  await writeFile(join(home, "audit-evidence.pub"), `${LOG.line}\n`);
  await writeFile(join(home, "export.csv"), LAYOUTS["CSV with columns of JSON"]?.(bodiesIn(quarters)) ?? "");
  return scene;
}

const KEY_A = Buffer.alloc(32, "a").toString("base64");
const KEY_B = Buffer.alloc(32, "b").toString("base64");

/** A home directory with a fresh Zuplo project in `~/my-gateway`, and no account anywhere. */
async function clean(): Promise<Scene> {
  const home = await mkdtemp(join(tmpdir(), "docs-home-"));
  await cp(join(ROOT, "tests/cli/fixtures/zuplo-template"), join(home, "my-gateway"), { recursive: true });
  return { env: { HOME: home }, replacements: OWN_SECRETS, stop: () => rm(home, { recursive: true, force: true }) };
}

/** What a reader of docs/deploy.md writes in place of its placeholders, which a deploy refuses. */
const OWN_SECRETS = new Map([
  ["sk_put_yours_here", "sk_test_4f9a1c7e2b8d6035"],
  ["=put-yours-here", "=eyJVc2VySUQiOiI0ZjlhMWM3ZSJ9"],
  ["sig_put_yours_here", "sig_4f9a1c7e2b8d60354f9a1c7e"],
]);

interface Incident {
  /** WorkOS takes only registered actions. */
  readonly strict?: boolean;
  readonly before?: (delivery: Delivery) => void;
  /** Messages to publish; default: three records, each alone. */
  readonly bodies?: readonly string[];
  readonly until: (delivery: Delivery) => Promise<void>;
}

async function incident({ strict = false, before, bodies, until }: Incident): Promise<Scene> {
  const home = await clean();
  const delivery = await startDelivery({ workos: { strictSchemas: strict } });
  const records = threeRecords(Date.now());
  const stop = async (): Promise<void> => {
    await delivery.stop();
    await home.stop();
  };
  try {
    before?.(delivery);
    for (const [index, body] of (bodies ?? records.map(bodyOf)).entries())
      await delivery.publish(body, `body-${index}`);
    await until(delivery);
  } catch (error) {
    await stop();
    throw error;
  }
  const replacements = new Map(
    records.map(({ id, sequence }) => [`019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a0${sequence}`, id]),
  );
  return { ...withEnv(home, variablesOf(delivery)), replacements, stop };
}

/** What an operator has exported: the worker's variables and its URL. */
function variablesOf({ worker, variables }: Delivery): Scene["env"] {
  return { ...variables, AUDIT_WORKER_URL: worker.url };
}

function withEnv(scene: Scene, env: Scene["env"]): Scene {
  return { ...scene, env: { ...scene.env, ...env } };
}

function threeRecords(nowMs: number): readonly AuditRecord[] {
  return [
    record(nowMs, 1, "member.invited", "/members"),
    record(nowMs, 2, "member.invited", "/members"),
    record(nowMs, 3, "api_key.created", "/api-keys"),
  ];
}

function record(nowMs: number, sequence: number, action: string, route: string): AuditRecord {
  return {
    id: mintEventId(nowMs, new Uint8Array(9).fill(sequence), 7),
    stage: "outcome",
    occurredAtMs: nowMs,
    durationMs: 12,
    action,
    organization: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
    actor: { id: "user_01", type: "user" },
    targets: [{ id: route, type: "route" }],
    method: "POST",
    route,
    status: 201,
    outcome: "success",
    assurance: "best-effort",
    gateway: { isolateId: "5b1c9d0e7a2f4c38", policyVersion: "0.1.0" },
    sequence,
  };
}

function bodyOf(one: AuditRecord): string {
  return JSON.stringify(encodeMessage([one]));
}

async function eventsAre(delivery: Delivery, count: number): Promise<void> {
  await vi.waitFor(() => expect(delivery.workos.events()).toHaveLength(count), PATIENCE_MS);
  // WorkOS has an event before the worker has read its answer.
  await delivery.queue.idle();
}

/** Waits for dead letters; each look may push the queue's clock forward, so that every retry comes due. */
async function deadLettersAre(delivery: Delivery, count: number, horizonMs = 0): Promise<void> {
  const { worker, adminToken, clock, queue } = delivery;
  await vi.waitFor(
    async () => {
      await queue.idle();
      clock.advance(horizonMs);
      const answer = await fetch(`${worker.url}/api/dead-letters`, {
        headers: { authorization: `Bearer ${adminToken}` },
      });
      expect(((await answer.json()) as { dead_letters: unknown[] }).dead_letters).toHaveLength(count);
    },
    { timeout: PATIENCE_MS, interval: 100 },
  );
}

/** A call with a token of QStash's form that nobody's key signed. */
async function refusedDelivery(workerUrl: string): Promise<void> {
  const part = (json: object) => Buffer.from(JSON.stringify(json)).toString("base64url");
  const claims = { iss: "Upstash", sub: `${workerUrl}/deliver`, exp: 9_999_999_999, body: "" };
  const token = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}.c2lnbmF0dXJl`;
  await fetch(`${workerUrl}/deliver`, { method: "POST", body: "{}", headers: { "upstash-signature": token } });
}

async function pausedIs({ worker }: Delivery, by: "breaker" | "credential" = "credential"): Promise<void> {
  await vi.waitFor(async () => {
    const answer = await fetch(`${worker.url}/health`);
    expect(await answer.json()).toMatchObject({ paused: true, pause: { by, confirmed_by_queue: true } });
  }, PATIENCE_MS);
}
