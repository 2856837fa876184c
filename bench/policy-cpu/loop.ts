/** Runs inside workerd: takes requests of the workload through the built policy, with a network that answers at once. */
import type { Policy } from "../../policy/policy.ts";
import { GatewayDouble } from "../gateway-double.ts";
import { type Call, makeWorkload, POLICY_OPTIONS } from "../workload.ts";

/**
 * `capture` is the policy up to the response, many requests in a loop: what it puts off to later never runs. `whole` is one request with all that
 * the policy does, until the message is handed to `fetch`. `loop` and `single` are the same without the policy.
 */
export type Subject = "loop" | "capture" | "single" | "whole";

export const MAX_RECORDS = 20;

interface Execution {
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * In a loop, records are never sent, and the policy loses those for which it has no place left. After this many requests they go to
 * another policy entry, so that the loop does not measure losses.
 */
const REQUESTS_PER_ENTRY = 500;

const realTimer = globalThis.setTimeout;
/** Work after the response begins with a timer of less than a second; the watchdog's, of 20, is set and called off before. */
const noLater = ((callback: () => void, ms: number) => (ms < 1_000 ? 0 : realTimer(callback, ms))) as typeof realTimer;

/** Answers `?subject=…&count=…&selectors=0|1`. */
export function serve(policy: Policy) {
  globalThis.fetch = () => Promise.resolve(new Response('{"messageId":"msg_1"}'));
  const options = { ...POLICY_OPTIONS, maxRecords: MAX_RECORDS };
  const workloads = [false, true].map((selectors) => makeWorkload({ traceparent: true, selectors }));

  async function one(call: Call, hasPolicy: boolean, entry = options): Promise<GatewayDouble> {
    const context = new GatewayDouble(call.requestId, call.route, call.properties);
    if (hasPolicy) await policy(call.request, context, entry, "audit-log");
    await context.respond(new Response("{}", { status: call.status }), call.request);
    return context;
  }

  return {
    async fetch(request: Request, _env: unknown, execution: Execution): Promise<Response> {
      const query = new URL(request.url).searchParams;
      const subject = query.get("subject") as Subject;
      const next = workloads[Number(query.get("selectors"))];
      if (!next) return new Response("no such workload", { status: 400 });
      const hasPolicy = subject === "capture" || subject === "whole";
      globalThis.setTimeout = subject === "capture" ? noLater : realTimer;
      if (subject === "single" || subject === "whole") {
        execution.waitUntil((await one(next(), hasPolicy)).ended());
      } else {
        let entry = options;
        for (let left = Number(query.get("count")); left > 0; left -= 1) {
          if (left % REQUESTS_PER_ENTRY === 0) entry = { ...options };
          await one(next(), hasPolicy, entry);
        }
      }
      return new Response("done");
    },
  };
}
