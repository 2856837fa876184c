import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hideAndShape, makePrivacySettings } from "../../policy/privacy.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { TestGateway } from "./support/gateway.ts";
import { World } from "./support/world.ts";

const SECRET = Buffer.alloc(32, 5);
const KEYS = `k2:${SECRET.toString("base64")},k1:${Buffer.alloc(32, 1).toString("base64url")}`;
const { ports } = new World();

const JWT = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"sub":"1"}').toString("base64url")}.c2lnbmF0dXJl`;

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

function hashed(value: string): string {
  return `sha256_${createHash("sha256").update(value).digest("hex").slice(0, 32)}`;
}

async function hidden(
  pseudonymize: string[],
  options: { keys?: string; origins?: [string, string][]; redact?: string[]; of?: AuditRecord } = {},
) {
  const { privacy, problem } = makePrivacySettings(
    { pseudonymize, pseudonymKeys: options.keys ?? KEYS, redact: options.redact ?? [] },
    ports,
  );
  const shaped = await hideAndShape(
    options.of ?? record,
    new Map(options.origins?.map(([field, source]) => [field, [source]])),
    privacy,
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
  ])("are hashes of ids, and else redacted, never clear text, where the keys are %j", async (keys) => {
    const { record: one, problem } = await hidden(["actor.id", "actor.name"], { keys });
    expect(one.actor).toMatchObject({ id: hashed("ada"), name: "[redacted]" });
    expect(problem).toMatch(/^invalid_variable: "AUDIT_PSEUDONYM_KEYS" /);
    expect(problem).not.toContain(SECRET.toString("base64"));
  });

  it("need no keys where nothing is to be hidden", async () => {
    expect((await hidden([], { keys: "" })).problem).toBeUndefined();
  });
});

describe("what identifies is never redacted away", () => {
  const KEY_ID = "AKIAIOSFODNN7EXAMPLE";
  const idsOf = ({ actor, targets, credential }: AuditRecord) => [
    actor.id,
    ...targets.map(({ id }) => id),
    credential?.keyId,
  ];
  const withIds = (actorId: string, targetIds: readonly string[]): AuditRecord => ({
    ...record,
    actor: { id: actorId, type: "user" },
    targets: targetIds.map((id) => ({ id, type: "item" })),
    credential: { kind: "other", keyId: KEY_ID },
  });

  it.each(["pwd=mallory@example.com", "4111111111111111", "token: ada", "card 4111 1111 1111 1111"])(
    "%j stays as the id and the name of who was authenticated",
    async (sub) => {
      const of = { ...record, organization: sub, actor: { id: sub, type: "user", name: sub } };
      const { record: one } = await hidden([], { of });
      expect(one.actor).toEqual(of.actor);
      expect(one.organization).toBe(sub);
    },
  );

  it.each([
    ["a pseudonym where there is a key", KEYS, pseudonym],
    ["a hash where there is none", "", hashed],
  ])("an id that holds a secret becomes %s", async (_name, keys, expected) => {
    const of = withIds(JWT, ["42;token=aaa", "42;token=bbb", "4111111111111111", "plain"]);
    const { record: one, problem } = await hidden([], { of, keys });
    expect(problem).toBeUndefined();
    expect(idsOf(one)).toEqual([
      expected(JWT),
      expected("42;token=aaa"),
      expected("42;token=bbb"),
      expected("4111111111111111"),
      "plain",
      expected(KEY_ID),
    ]);
  });

  it("an id from a selector with the name of a secret becomes a pseudonym, in code and from a route", async () => {
    const world = new World();
    const gateway = new TestGateway(world, { pseudonymKeys: KEYS, redact: ["badge"] });
    const operation = {
      "x-audit": {
        targets: [
          { id: "$params.token", type: "invitation" },
          { id: "$params.badge", type: "badge" },
          { id: "$params.id", type: "item" },
        ],
        metadata: { token: "$params.token" },
      },
    };
    await gateway.run({ params: { token: "t-1", badge: "b-1", id: "i-1" } }, { operation });
    await world.advance(100);
    const [one] = world.records();
    expect(one?.targets.map(({ id }) => id)).toEqual([pseudonym("t-1"), pseudonym("b-1"), "i-1"]);
    expect(one?.metadata).toEqual({ token: "[redacted]" });
  });

  it("distinct ids stay distinct, whatever they are", async () => {
    const ids = ["pwd=a", "pwd=b", "token=a1", "token=b1", JWT, `${JWT}x`, "4111111111111111", "5555555555554444"];
    for (const keys of [KEYS, ""]) {
      const { record: one } = await hidden([], { of: withIds("ada", ids), keys });
      expect(new Set(one.targets.map(({ id }) => id)).size).toBe(ids.length);
      expect(JSON.stringify(one)).not.toMatch(/\[redacted\]","type/);
    }
  });

  it("a long id is cut and marked, not hidden", async () => {
    const { privacy } = makePrivacySettings({ pseudonymize: [], pseudonymKeys: KEYS, redact: [] }, ports);
    const id = "i".repeat(5_000);
    const { record: one, cuts } = await hideAndShape(withIds("ada", [id]), new Map(), privacy);
    expect(one.targets[0]?.id).toBe("i".repeat(500));
    expect(cuts).toEqual([{ field: "targets.0.id", whole: id }]);
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
