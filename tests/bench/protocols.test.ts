import { describe, expect, it } from "vitest";
import type { Block, Round } from "../../bench/gateway/measure.ts";
import { report } from "../../bench/protocols/part.ts";
import { callOf, projectFiles, PROTOCOL_ROUTES, type ProtocolRoute } from "../../bench/protocols/project.ts";

const ROUNDS = 4;
const block = (ms: number): Block => ({ latenciesMs: Array(10).fill(ms), failed: 0, gaveUp: 0, cpuMicros: 1_000 });

/** Rounds in which every route takes 1 ms, except those with other blocks. */
function rounds(others: Partial<Record<ProtocolRoute, Block>> = {}): readonly Round<ProtocolRoute>[] {
  const one = Object.fromEntries(PROTOCOL_ROUTES.map((route) => [route, others[route] ?? block(1)]));
  return Array(ROUNDS).fill(one);
}

/** Ten requests a round to each of the two routes of ours. */
const RECORDS = ROUNDS * 20;

describe("report", () => {
  const missed = (...args: Parameters<typeof report>) =>
    report(...args).goals.flatMap((goal) => (goal.met ? [] : [goal.name]));

  it("meets its goals where ours costs no more than the control", () => {
    expect(missed(rounds(), RECORDS)).toEqual([]);
  });

  it("misses the goals of the protocol whose calls are slower with our policy", () => {
    const expected = ["p50", "p99"].map((name) => `${name} with our policy vs. no policy, MCP tool call`);
    expect(missed(rounds({ "mcp-ours": block(2) }), RECORDS)).toEqual(expected);
  });

  it("misses a goal if a record is missing or a call failed", () => {
    const name = "every call answered with 200 and recorded once";
    expect(missed(rounds(), RECORDS - 1)).toEqual([name]);
    expect(missed(rounds({ "graphql-none": { ...block(1), failed: 1 } }), RECORDS)).toEqual([name]);
  });

  it("has a table for each protocol with a row for each route", () => {
    const { tables } = report(rounds({ "graphql-ours": block(3) }), RECORDS);
    expect(tables.map(({ title, rows }) => [title.split(",")[0], rows.length])).toEqual([
      ["MCP tool call", 3],
      ["GraphQL mutation", 3],
    ]);
    expect(tables[1]?.rows[2]?.slice(0, 3)).toEqual(["ours", "40", "3.00"]);
  });
});

it("puts our policy on the routes of ours only, and each route where its call goes", async () => {
  const files = await projectFiles();
  const { paths } = JSON.parse(files["config/routes.oas.json"] ?? "") as {
    paths: Record<string, { post: { "x-zuplo-route": { policies: { inbound: string[] } } } }>;
  };
  const audited = PROTOCOL_ROUTES.filter((route) =>
    paths[callOf(route).path]?.post["x-zuplo-route"].policies.inbound.includes("audit-log"),
  );
  expect(audited).toEqual(["mcp-ours", "graphql-ours"]);
});
