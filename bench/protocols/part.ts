/** Response latency of an MCP tool call and a GraphQL call at the real local gateway, with our policy and without one. */
import { figuresOf, ratioOf, requestsTo, routeTable, noiseGoal } from "../gateway/figures.ts";
import { measureRound, type Round, type RoundOptions } from "../gateway/measure.ts";
import { withGateway } from "../gateway/session.ts";
import type { Goal, Part, PartReport, RunContext } from "../report/part.ts";
import {
  callOf,
  projectFiles,
  type Protocol,
  PROTOCOL_ROUTES,
  type ProtocolRoute,
  PROTOCOLS,
  type Variant,
  VARIANTS,
} from "./project.ts";

export const part: Part = { name: "protocols", title: "Response latency of an MCP tool call and a GraphQL call", run };

/** The gap of the gateway's part. */
const GAP_MS = 5;
/** Our policy shares messages for 50 ms, and the sink answers at once. */
const REST_MS = 300;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 10;

const PROTOCOL_TITLES: Readonly<Record<Protocol, string>> = { mcp: "MCP tool call", graphql: "GraphQL mutation" };
const VARIANT_TITLES: Readonly<Record<Variant, string>> = {
  none: "no policy",
  control: "no policy again (control)",
  ours: "ours",
};

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const count = quick ? 2 : ROUNDS;
  step("starting the gateway", 0, count);
  return withGateway(await projectFiles(), async ({ url, sink, pids }) => {
    const options: RoundOptions<ProtocolRoute> = {
      pids,
      subjects: PROTOCOL_ROUTES,
      call: callOf,
      gapMs: GAP_MS,
      restMs: () => REST_MS,
      requests: () => (quick ? 30 : 100),
    };
    for (let round = 0; round < WARM_UP_ROUNDS; round++) await measureRound(url, { ...options, gapMs: 0 });
    const before = (await sink.counts()).queue;
    const rounds: Round<ProtocolRoute>[] = [];
    for (let i = 0; i < count; i++) {
      rounds.push(await measureRound(url, options));
      step("tool calls and mutations", i + 1, count);
    }
    return report(rounds, (await sink.counts()).queue - before);
  });
}

/** Makes the report; `records` counts those that reached the queue. */
export function report(rounds: readonly Round<ProtocolRoute>[], records: number): PartReport {
  const sent = PROTOCOLS.reduce((sum, protocol) => sum + requestsTo(rounds, `${protocol}-ours`), 0);
  const failed = PROTOCOL_ROUTES.reduce((sum, route) => sum + failuresOf(rounds, route), 0);
  return {
    goals: [
      ...PROTOCOLS.flatMap((protocol) => latencyGoals(rounds, protocol)),
      {
        name: "every call answered with 200 and recorded once",
        goal: `${sent} records, no failure`,
        figure: `${records} records, ${failed} failures`,
        met: records === sent && failed === 0,
      },
    ],
    tables: PROTOCOLS.map((protocol) =>
      routeTable(
        `${PROTOCOL_TITLES[protocol]}, ${GAP_MS} ms between requests`,
        VARIANTS.map(
          (variant) =>
            [
              VARIANT_TITLES[variant],
              figuresOf(rounds, `${protocol}-${variant}` as const, `${protocol}-none` as const),
            ] as const,
        ),
      ),
    ),
    notes: NOTES,
    data: {
      records,
      routes: Object.fromEntries(
        PROTOCOLS.flatMap((protocol) =>
          VARIANTS.map((variant) => {
            const route = `${protocol}-${variant}` as const;
            return [route, figuresOf(rounds, route, `${protocol}-none` as const)];
          }),
        ),
      ),
    },
  };
}

function failuresOf(rounds: readonly Round<ProtocolRoute>[], route: ProtocolRoute): number {
  return rounds.reduce((sum, round) => sum + round[route].failed + round[route].gaveUp, 0);
}

function latencyGoals(rounds: readonly Round<ProtocolRoute>[], protocol: Protocol): readonly Goal[] {
  const quantiles = [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const;
  return quantiles.map(([name, q]) => {
    const ours = ratioOf(rounds, `${protocol}-ours`, `${protocol}-none`, q);
    const control = ratioOf(rounds, `${protocol}-control`, `${protocol}-none`, q);
    return noiseGoal(`${name} with our policy vs. no policy, ${PROTOCOL_TITLES[protocol]}`, ours, control);
  });
}

const NOTES = [
  "The method is that of the gateway's part: one gateway, one connection, one request at a time, blocks in random order, " +
    `${GAP_MS} ms between requests, and sinks that answer at once. The MCP routes are Zuplo's own \`mcpServerHandler\` over one API route without ` +
    "a policy of ours; the request is a `tools/call`, and the route has the preset `mcp`. The GraphQL routes answer a mutation with " +
    "`data`, without executing a schema, and have the preset `graphql`.",
];
