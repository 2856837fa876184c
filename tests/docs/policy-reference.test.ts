import { describe, expect, it } from "vitest";
import { SELECTORS } from "../../docs/generate/route-meaning.ts";
import { WORKED_EXAMPLES, X_AUDIT } from "../../docs/generate/x-audit-examples.ts";
import { checkOptions, OPTION_RULES } from "../../policy/options.ts";
import { OPTIONS_REFERENCE } from "../../policy/options-reference.ts";
import { makePlan } from "../../policy/plan.ts";
import { preview } from "../../policy/preview.ts";

const { options: OPTIONS } = checkOptions({});

/** What `$env(…)` would give. */
const VARIABLES: Readonly<Record<string, string>> = {
  "$env(AUDIT_INGEST_KEY)": "whsec_YQ==",
  "$env(QSTASH_URL)": "https://qstash.upstash.io",
  "$env(AUDIT_WORKER_URL)": "https://worker.example.com",
};

it("has every option of the policy once", () => {
  expect(OPTIONS_REFERENCE.map(({ name }) => name)).toEqual(Object.keys(OPTION_RULES));
});

it.each(OPTIONS_REFERENCE.map(({ name, example }) => [name, example] as const))(
  "the example of %s is taken as it is",
  (name, example) => {
    const value = VARIABLES[String(example)] ?? example;
    const { options, problems } = checkOptions({ [name]: value });
    expect(problems.filter((problem) => problem.includes(`"${name}"`))).toEqual([]);
    expect(options[name]).toEqual(value);
  },
);

describe("x-audit", () => {
  it("has an example without a fault that uses every kind of value", () => {
    const { problems, base, assurance } = makePlan(X_AUDIT, OPTIONS);
    const { action, organization, actor, targets, metadata } = base;
    expect(problems).toEqual([]);
    expect([action, organization, actor, targets].every((part) => part !== undefined)).toBe(true);
    expect([Object.keys(metadata).length, assurance]).toEqual([3, "durable"]);
  });

  it.each(WORKED_EXAMPLES.map(({ title, xAudit }) => [title, xAudit] as const))(
    "has a worked example for %s without a fault",
    (_title, xAudit) => {
      expect(makePlan(xAudit, OPTIONS).problems).toEqual([]);
    },
  );

  it.each(SELECTORS.map(([selector]) => selector))("may select %s", (selector) => {
    expect(makePlan({ metadata: { field: selector } }, OPTIONS).problems).toEqual([]);
  });

  it.each([
    "$header.authorization",
    "$header.Cookie",
    "$header.x-api-key",
    "$response.header.set-cookie",
    "$user",
    "$nonsense.x",
  ])("may not select %s", (selector) => {
    expect(makePlan({ metadata: { field: selector } }, OPTIONS).problems).toHaveLength(1);
  });
});

/** A request for each worked example, and the records that it leaves. */
const EXAMPLE_CALLS: Readonly<Record<string, { readonly call: object; readonly leaves: readonly unknown[] }>> = {
  REST: {
    call: { method: "DELETE", path: "/v1/teams/t_1/members/m_7", response: '{"sessionsEnded":2}' },
    leaves: [["member.removed", ["m_7", "t_1"], "success", { sessions_ended: 2 }]],
  },
  MCP: {
    call: {
      method: "POST",
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"remove","arguments":{"memberId":"m_7"}}}',
      response: '{"jsonrpc":"2.0","id":1,"result":{"isError":true}}',
    },
    leaves: [["mcp.tool_called", ["remove"], "failure", { mcp_method: "tools/call", member: "m_7" }]],
  },
  GraphQL: {
    call: {
      method: "POST",
      body: '{"query":"mutation Remove { a }","variables":{"id":"m_7"}}',
      response: '{"errors":[{}]}',
    },
    leaves: [["graphql.mutation", ["Remove"], "failure", { graphql_errors: 1, member: "m_7" }]],
  },
  "JSON-RPC": {
    call: {
      method: "POST",
      body: '{"method":"users/delete","params":{"id":"u_1"}}',
      response: '{"error":{"code":-32001}}',
    },
    leaves: [["user.deleted", ["u_1"], "denied", { method: "users/delete" }]],
  },
  Bulk: {
    call: {
      method: "POST",
      body: '{"items":[{"op":"remove","id":"m_1","groups":["a","b"]},{"op":"rename","id":"m_2","groups":["c"]}]}',
    },
    leaves: [
      ["member.removed", ["m_1", "a", "b"], "success", { batch_index: 0, batch_size: 2 }],
      ["member.changed", ["m_2", "c"], "success", { batch_index: 1, batch_size: 2 }],
    ],
  },
};

it.each(WORKED_EXAMPLES.map(({ title, xAudit }) => [title, xAudit] as const))(
  "the worked example for %s leaves what its text says",
  async (title, xAudit) => {
    const { call, leaves } = EXAMPLE_CALLS[title] ?? { call: {}, leaves: [] };
    const route = { path: "/v1/teams/{teamId}/members/{memberId}", operationId: "op", xAudit };
    const { records, missing } = await preview({
      options: {},
      route,
      call: call as Parameters<typeof preview>[0]["call"],
    });
    expect(missing).toEqual([]);
    expect(
      records.map(({ action, targets, outcome, metadata }) => [action, targets.map(({ id }) => id), outcome, metadata]),
    ).toEqual(
      leaves.map((one) => {
        const [action, ids, outcome, metadata] = one as readonly [string, string[], string, object];
        return [action, ids, outcome, expect.objectContaining(metadata)];
      }),
    );
  },
);
