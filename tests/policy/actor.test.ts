/** Who acts: the authenticated user, who acts for it, and the credential. */
import { describe, expect, it } from "vitest";
import { leaveOne } from "./support/left.ts";

const DATA = { name: "Ada", role: "admin", act: { sub: "agent_1" }, azp: "app_1", client_id: "app_2" };
const actorOf = async (data: unknown, options = {}, xAudit = {}) =>
  (await leaveOne(xAudit, { user: { sub: "user_1", data } }, options)).actor;

describe("the actor", () => {
  it("is the user, and names who acts for it and by which client", async () => {
    expect(await actorOf(DATA)).toEqual({
      id: "user_1",
      type: "user",
      name: "Ada",
      metadata: { role: "admin", acting_party: "agent_1", client_id: "app_1" },
    });
    expect((await actorOf({ client_id: "app_2" })).metadata).toEqual({ client_id: "app_2" });
  });

  it("leaves out what `omit` names", async () => {
    expect((await actorOf(DATA, { omit: ["acting_party", "client_id"] })).metadata).toEqual({ role: "admin" });
    expect((await actorOf(DATA, { omit: ["role", "acting_party", "client_id"] })).metadata).toBeUndefined();
  });

  it("keeps them beside what x-audit adds", async () => {
    const xAudit = { actor: { id: "$user.data.name", metadata: { plan: "pro" } } };
    expect(await actorOf(DATA, {}, xAudit)).toMatchObject({
      id: "Ada",
      metadata: { acting_party: "agent_1", client_id: "app_1", plan: "pro" },
    });
  });

  it.each([{ act: "agent_1" }, { act: { sub: { a: 1 } } }, { act: null, azp: ["a"] }, null])(
    "takes only scalars: %j",
    async (data) => {
      expect((await actorOf(data)).metadata).toBeUndefined();
    },
  );

  it("without a sub is anonymous, whoever acts", async () => {
    const { actor } = await leaveOne({}, { user: { data: DATA } });
    expect(actor).toEqual({ id: "anonymous", type: "anonymous" });
  });
});

describe("the credential", () => {
  it("of Zuplo's API-key policy is an API key with its id, although it came as a bearer token", async () => {
    const call = {
      user: { sub: "user_1", apiKeyId: "key_1", data: { keyId: "other" } },
      headers: { authorization: "Bearer zpka_x" },
    };
    expect((await leaveOne({}, call)).credential).toEqual({ kind: "api_key", keyId: "key_1" });
  });
});
