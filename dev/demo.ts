/**
 * `npm run demo`: runs the whole path once on real parts; exits 0 only if every event arrived exactly once and the evidence proves
 * it.
 */
import { parseArgs } from "node:util";
import { AuditError } from "../shared/errors.ts";
import type { Arrival } from "./demo/arrivals.ts";
import { evidenceScene } from "./demo/evidence.ts";
import { createPrinter, formatMs, silentPrinter } from "./demo/print.ts";
import { healthyScene, outageScene, spillScene, warmUp } from "./demo/scenes.ts";
import { summarize, summaryTable, verdict } from "./demo/summary.ts";
import { startStack } from "./stack.ts";
import { stopOnSignal } from "./signal-handlers.ts";

const HELP = `npm run demo [-- --json]

Starts a real Zuplo gateway with the audit policy, the development queue, the worker in workerd and a WorkOS
stand-in, sends calls through the gateway and follows each one to the event that WorkOS stored. Then it seals the
evidence, proves that WorkOS holds what was delivered, changes one event there and shows that "verify" finds it.

  --json   one JSON document instead of text
  --help   this text

Exit codes: 0 every event arrived exactly once and the evidence proves it, 1 one did not, the evidence does not,
or a part did not start, 2 wrong use.
`;

async function run(json: boolean): Promise<boolean> {
  const print = json ? silentPrinter : createPrinter(console.log);
  const startedAtMs = performance.now();
  print.title("Starting the parts");
  const stack = await startStack({ onStart: (part) => print.step(part) });
  const release = stopOnSignal(stack);
  try {
    print.note(
      `ready after ${formatMs(performance.now() - startedAtMs)}; gateway ${stack.gateway.url}, worker ${stack.worker.url}`,
    );
    await warmUp(stack);
    const healthy = await healthyScene(stack, print);
    const outage = [...(await outageScene(stack, print)), ...(await spillScene(stack, print))];
    const eventsStored = stack.workos.events().length;
    const workosRequests = stack.workos.requests().length;
    const evidence = await evidenceScene(stack, print);
    const summary = summarize({ healthy, outage, eventsStored, workosRequests, evidence });
    print.title("Summary");
    print.lines(summaryTable(summary));
    print.lines(verdict(summary));
    if (json) console.log(JSON.stringify({ ...summary, calls: [...healthy, ...outage].map(callJson) }, null, 2));
    return summary.ok;
  } finally {
    await release();
    await stack.stop();
  }
}

function callJson({ result, events, children }: Arrival) {
  const { call, requestId, status, latencyMs } = result;
  return {
    method: call.method,
    path: call.path,
    status,
    latency_ms: latencyMs,
    request_id: requestId,
    events,
    children,
  };
}

function parseOptions(): { json: boolean } | undefined {
  try {
    const { values } = parseArgs({ options: { json: { type: "boolean" }, help: { type: "boolean" } } });
    if (!values.help) return { json: values.json ?? false };
    console.log(HELP);
    process.exitCode = 0;
  } catch (error) {
    console.error(`error[invalid_option]: ${(error as Error).message}\n\n${HELP}`);
    process.exitCode = 2;
  }
  return undefined;
}

const options = parseOptions();
if (options) {
  try {
    process.exitCode = (await run(options.json)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    console.error(`error[${error.code}]: ${error.message}`);
    process.exitCode = 1;
  }
}
