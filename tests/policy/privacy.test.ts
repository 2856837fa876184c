import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hideAndShape, makeHider } from "../../policy/privacy.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { TestGateway } from "./support/gateway.ts";
import { World } from "./support/world.ts";

const SECRET = Buffer.alloc(32, 5);
const KEYS = `k2:${SECRET.toString("base64")},k1:${Buffer.alloc(32, 1).toString("base64url")}`;
const { hmac } = new World().ports;

const record: AuditRecord = {
  id: "01932b5e-7c1a-7d3e-9f00-3b1c2d4e5f60",
  stage: "outcome",
  occurredAtMs: 1,
  action: "a.b",
  actor: { id: "ada", type: "user", name: "Ada", metadata: { email: "ada@x.test", age: 42 } },
  targets: [
    { id: "t1", type: "team", name: "Blue" },
    { id: "t2", type: "team", metadata: { owner: "ada" } },
  ],
  metadata: { email: "ada@x.test", note: "hello", password: "hunter22", phone: "1" },
  method: "GET",
  route: "/r",
  outcome: "success",
  ip: "203.0.113.7",
  userAgent: "agent",
  assurance: "best-effort",
  gateway: { isolateId: "i", policyVersion: "0" },
  sequence: 1,
};

function pseudonym(value: string): string {
  return `ps_k2_${createHmac("sha256", SECRET).update(value).digest().subarray(0, 16).toString("base64url")}`;
}

async function hidden(
  pseudonymize: string[],
  options: { keys?: string; origins?: [string, string][]; redact?: string[]; of?: AuditRecord } = {},
) {
  const { hider, problem } = makeHider(
    { pseudonymize, pseudonymKeys: options.keys ?? KEYS, redact: options.redact ?? [] },
    hmac,
  );
  const shaped = await hideAndShape(
    options.of ?? record,
    new Map(options.origins?.map(([field, source]) => [field, [source]])),
    hider,
  );
  return { record: shaped.record, problem };
}

describe("pseudonyms", () => {
  it("hide a field wherever it is named, and equal values stay equal", async () => {
    const { record: one } = await hidden([
      "actor.id",
      "targets.id",
      "targets.metadata.*",
      "metadata.email",
      "actor.metadata.age",
      "ip",
      "userAgent",
    ]);
    expect(one).toMatchObject({
      actor: { id: pseudonym("ada"), name: "Ada", metadata: { email: "ada@x.test", age: pseudonym("42") } },
      targets: [
        { id: pseudonym("t1"), name: "Blue" },
        { id: pseudonym("t2"), metadata: { owner: pseudonym("ada") } },
      ],
      metadata: { email: pseudonym("ada@x.test"), note: "hello" },
      ip: pseudonym("203.0.113.7"),
      userAgent: pseudonym("agent"),
    });
  });

  it.each(["$body.email", "$body.email?", "$body.email!", '$body["email"]'])(
    "hide what came from %s, in every field that it fills",
    async (chosen) => {
      const origins: [string, string][] = [
        ["actor.metadata.email", "body,email"],
        ["metadata.email", "body,email"],
        ["metadata.note", "body,note"],
      ];
      const { record: one } = await hidden([chosen], { origins });
      expect(one.actor.metadata?.["email"]).toBe(pseudonym("ada@x.test"));
      expect(one.metadata).toMatchObject({ email: pseudonym("ada@x.test"), note: "hello" });
    },
  );

  it.each([
    [["$user.sub"], { id: pseudonym("user_1"), name: "Ada", metadata: { role: "admin" } }],
    [
      ["$user.data.name", "$user.data.role"],
      { id: "user_1", name: pseudonym("Ada"), metadata: { role: pseudonym("admin") } },
    ],
  ])("hide who the caller is where no route says so: %j", async (pseudonymize, actor) => {
    const world = new World();
    const gateway = new TestGateway(world, { pseudonymize, pseudonymKeys: KEYS });
    await gateway.run({ user: { sub: "user_1", data: { name: "Ada", role: "admin" } } });
    await world.advance(100);
    expect(world.records()[0]?.actor).toMatchObject(actor);
  });

  it("hide metadata whatever its name is", async () => {
    const metadata = { "user.email": "ada@x.test", "a.metadata.b": "ada@x.test", metadata: "ada@x.test" };
    const of = {
      ...record,
      metadata,
      actor: { id: "ada", type: "user", metadata },
      targets: [{ ...record.actor, metadata }],
    };
    const { record: one } = await hidden(["metadata.*", "actor.metadata.*", "targets.metadata.*"], { of });
    const ps = pseudonym("ada@x.test");
    const hiddenMetadata = { user_email: ps, a_metadata_b: ps, metadata: ps };
    expect(one).toMatchObject({
      metadata: hiddenMetadata,
      actor: { id: "ada", metadata: hiddenMetadata },
      targets: [{ id: "ada", metadata: hiddenMetadata }],
    });
  });

  it("leave nobody recognizable as nobody", async () => {
    const of = { ...record, actor: { id: "anonymous", type: "anonymous" } };
    expect((await hidden(["actor.id"], { of })).record.actor).toEqual(of.actor);
  });

  it.each([
    "",
    "k1",
    "k1:c2hvcnQ=",
    `a b:${SECRET.toString("base64")}`,
    `k1:${SECRET.toString("base64")},`,
    `k1:${SECRET.toString("base64")},k1:${SECRET.toString("base64")}`,
  ])("are redacted, never clear text, where the keys are %j", async (keys) => {
    const { record: one, problem } = await hidden(["actor.id"], { keys });
    expect(one.actor.id).toBe("[redacted]");
    expect(problem).toMatch(/^invalid_variable: "AUDIT_PSEUDONYM_KEYS" /);
    expect(problem).not.toContain(SECRET.toString("base64"));
  });

  it("need no keys where nothing is to be hidden", async () => {
    expect((await hidden([], { keys: "" })).problem).toBeUndefined();
  });
});

describe("secrets", () => {
  it("are dropped by the name of their metadata key, the configured ones too", async () => {
    const { record: one } = await hidden([], { redact: ["phone"] });
    expect(one.metadata).toEqual({ email: "ada@x.test", note: "hello", password: "[redacted]", phone: "[redacted]" });
  });

  it("are dropped by their shape in every text of a record", async () => {
    const secret = "Bearer abcdefghijkl";
    const texts = {
      action: secret,
      organization: secret,
      requestId: secret,
      ip: secret,
      userAgent: secret,
      route: secret,
    };
    const party = { id: secret, type: secret, name: secret, metadata: { a: secret } };
    const credential = { kind: "bearer", keyId: secret };
    const geo = { country: secret, region: secret, city: secret };
    const of = {
      ...record,
      ...texts,
      actor: party,
      targets: [party],
      metadata: { a: secret, n: 4_111_111_111_111_111 },
      credential,
      geo,
    };
    const { record: one } = await hidden([], { of });
    expect(JSON.stringify(one)).not.toContain("abcdefghijkl");
    expect(one.metadata?.["n"]).toBe("[redacted]");
  });
});
