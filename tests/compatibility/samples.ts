/**
 * Samples of messages in transit, by version. A message of a released policy may wait on a queue or as a dead letter for a long time,
 * so samples are never changed from the first release on; a new version gets a new folder. To write the samples of the current
 * version that do not exist yet, run `node tests/compatibility/samples.ts`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { packMessage } from "../../shared/packed.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";

const folder = (version: string): string => fileURLToPath(new URL(`${version}/`, import.meta.url));

interface Sample {
  readonly name: string;
  /** The bytes as they were sent. */
  readonly body: Uint8Array;
  /** The records in it, as they must be read. */
  readonly records: readonly AuditRecord[];
}

/** The committed samples of a version; each is a message and the records it holds. */
export function samplesOf(version: string): readonly Sample[] {
  const names = readdirSync(folder(version)).filter((name) => name.endsWith(".message.json"));
  return names.map((file) => {
    const name = file.replace(".message.json", "");
    const records = JSON.parse(readFileSync(`${folder(version)}${name}.records.json`, "utf8")) as AuditRecord[];
    return { name, body: readFileSync(`${folder(version)}${file}`), records };
  });
}

const GATEWAY = { isolateId: "5b1c9d0e7a2f4c38", policyVersion: "0.1.0", environment: "production", build: "3f9a1c2" };

const TYPICAL: AuditRecord = {
  id: "019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a07",
  stage: "outcome",
  occurredAtMs: 0x019ab0c43f1e,
  durationMs: 41,
  action: "member.role_changed",
  organization: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
  actor: { id: "user_01E4ZCR3C56J083X43JQXF3JK5", type: "user", name: "Ada Lovelace" },
  targets: [{ id: "member_7", type: "member" }],
  method: "PATCH",
  route: "/members/{memberId}",
  status: 200,
  outcome: "success",
  ip: "203.0.113.7",
  userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
  requestId: "7f9c1a52-7a40-4c0e-9a57-2b1f6e0c2d11",
  assurance: "best-effort",
  gateway: GATEWAY,
  sequence: 1,
};

/** Every field at once, in forms that a short encoding is tempted to lose. */
const EVERYTHING: AuditRecord = {
  ...TYPICAL,
  id: "019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a08",
  occurredAtMs: TYPICAL.occurredAtMs - 5,
  actor: { id: "key_1", type: "api_key", name: "Деплой 🚀", metadata: { role: "admin", level: 3, trusted: false } },
  targets: [
    { id: "member_7", type: "member", name: "", metadata: { zero: 0 } },
    { id: "team_2", type: "user" },
  ],
  metadata: { empty: "", negative: -1.5, yes: true, text: 'quote " and \\ and \u2028' },
  status: 403,
  statusSource: "before_sending_hooks",
  outcome: "denied",
  geo: { country: "IS", city: "Reykjavík" },
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  assurance: "durable",
  parentId: TYPICAL.id,
  credential: { kind: "api_key", keyId: "k_2026" },
  missing: ["$body.role"],
  truncated: ["metadata.text:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
  sequence: 2,
  replay: { id: "rp_1", n: 2, mended: ["action"], acceptDuplicates: true },
};

const ANONYMOUS: AuditRecord = {
  id: "019ab0c4-3f20-7c55-9d3e-0f6d2c1b0a07",
  stage: "outcome",
  occurredAtMs: 0x019ab0c43f20,
  action: "GET /health",
  actor: { id: "anonymous", type: "anonymous" },
  targets: [{ id: "/health", type: "route" }],
  method: "GET",
  route: "/health",
  status: 500,
  outcome: "failure",
  assurance: "best-effort",
  gateway: GATEWAY,
  sequence: 3,
};

const typical = (fields: Partial<AuditRecord>): AuditRecord => ({ ...TYPICAL, ...fields });

const withoutOutcome = ({ status: _status, durationMs: _durationMs, ...record }: AuditRecord): AuditRecord => ({
  ...record,
  outcome: "unknown",
});

/** One for each entry of the encoding's two tables, whose numbers and letters are on the wire. */
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"];
const USER_AGENTS = [
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  "curl/8.14.1",
  "odd \u007fa",
];

const PACKED = [TYPICAL, EVERYTHING, { ...ANONYMOUS, organization: "org_1" }].map((record, n) =>
  Object.assign({}, record, { id: `019ab0c4-3f3${n}-7c55-9d3e-0f6d2c1b0a07`, sequence: 20 + n }),
);

/** What the current version's samples are made from. */
const CURRENT: Readonly<Record<string, readonly AuditRecord[]>> = {
  typical: [TYPICAL],
  packed: PACKED,
  everything: [EVERYTHING],
  anonymous: [ANONYMOUS],
  shared: [
    TYPICAL,
    EVERYTHING,
    ANONYMOUS,
    { ...TYPICAL, id: "019ab0c4-3f21-7c55-9d3e-0f6d2c1b0a07", occurredAtMs: 0x019ab0c43f21, sequence: 4 },
  ],
  intent: [{ ...withoutOutcome(TYPICAL), stage: "intent", assurance: "required" }],
  watchdog: [{ ...withoutOutcome(TYPICAL), stage: "watchdog" }],
  methods: METHODS.map((method, i) => typical({ id: `method-${i}`, method })),
  "user-agents": USER_AGENTS.map((userAgent, i) => typical({ id: `agent-${i}`, userAgent, requestId: `~${i}` })),
  "other-id": [{ ...TYPICAL, id: "job-42_a.b" }],
  "no-gateway-names": [{ ...TYPICAL, gateway: { isolateId: "0", policyVersion: "0.1.0" } }],
};

if (import.meta.main) {
  for (const [name, records] of Object.entries(CURRENT)) {
    const path = `${folder("v1")}${name}`;
    if (existsSync(`${path}.message.json`)) continue;
    writeFileSync(`${path}.message.json`, await writtenAs(name, records));
    writeFileSync(`${path}.records.json`, `${JSON.stringify(records, null, 2)}\n`);
  }
}

function writtenAs(name: string, records: readonly AuditRecord[]): Promise<string> | string {
  const message = encodeMessage(records);
  return name === "packed" ? packMessage(message, async (text) => deflateRawSync(text)) : JSON.stringify(message);
}
