/** Any record at all, odd texts included, for property tests of the codec. */
import fc from "fast-check";
import type { AuditRecord } from "../../shared/record.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "0", "user", "anonymous", "~x", "\x7fa", "[]", "{}"),
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const metadata = fc.dictionary(
  text,
  fc.oneof(
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.boolean(),
  ),
);
const party = fc
  .record({ id: text, type: text }, { requiredKeys: ["id", "type"] })
  .chain((fixed) =>
    fc
      .record({ name: text, metadata: metadata.filter((one) => Object.keys(one).length > 0) }, { requiredKeys: [] })
      .map((more) => ({ ...fixed, ...more })),
  );
const gateway = {
  isolateId: "k3J9sQ2x",
  policyVersion: "0.1.0",
  environment: "production",
  build: "0b7e7d4a-1f5a-4c39-9a53-2d6f9c1f0a11",
};

/** A new field of the record must be here, so that the codec is tested with it. */
type FieldsOnTheWire = Exclude<keyof AuditRecord, "gateway" | "replay" | "corrects">;

export const anyRecord: fc.Arbitrary<AuditRecord> = fc
  .record({
    id: fc.oneof(fc.uuid({ version: 7 }), fc.constant("job-42_a.b")),
    stage: fc.constantFrom("outcome" as const, "intent" as const, "watchdog" as const),
    occurredAtMs: fc.nat({ max: 2 ** 41 }),
    durationMs: maybe(fc.nat()),
    action: text,
    organization: maybe(text),
    actor: party,
    targets: fc.array(party, { maxLength: 4 }),
    metadata: maybe(metadata),
    method: fc.oneof(fc.constantFrom("GET", "POST", "PROPFIND", ""), text),
    route: text,
    status: maybe(fc.integer({ min: 100, max: 599 })),
    statusSource: maybe(fc.constant("before_sending_hooks" as const)),
    outcome: fc.constantFrom("success" as const, "failure" as const, "denied" as const, "unknown" as const),
    ip: maybe(text),
    userAgent: maybe(text),
    geo: maybe(fc.record({ country: text, region: text, city: text }, { requiredKeys: [] })),
    requestId: maybe(fc.oneof(text, fc.uuid())),
    traceparent: maybe(fc.constant(`00-${"4b".repeat(16)}-${"0f".repeat(8)}-01`)),
    assurance: fc.constantFrom("best-effort" as const, "durable" as const, "required" as const),
    parentId: maybe(fc.uuid()),
    credential: maybe(
      fc.oneof(fc.record({ kind: fc.constantFrom("bearer", "cookie", "odd") }), fc.record({ kind: text, keyId: text })),
    ),
    requestCount: maybe(fc.integer({ min: 1 })),
    missing: maybe(fc.array(text, { minLength: 1, maxLength: 3 })),
    truncated: maybe(fc.array(text, { minLength: 1, maxLength: 3 })),
    sequence: fc.nat(),
  } satisfies Record<FieldsOnTheWire, fc.Arbitrary<unknown>>)
  .map((fields) => ({ ...withoutUndefined(fields), gateway }) as AuditRecord);

function withoutUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
