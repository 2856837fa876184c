/** `npm run dev`: the same stack as the demo, kept running, with every URL, variable and a call to try. */
import { parseArgs } from "node:util";
import { AuditError } from "../shared/errors.ts";
import { reportFailure } from "./command-failure.ts";
import { createPrinter, formatMs } from "./demo/print.ts";
import { WARM_UP_PATH, EXAMPLE_CALL } from "./demo/calls.ts";
import { causeIncident, INCIDENTS, NOT_HERE, parseIncident } from "./showcase/incidents.ts";
import { keepTraffic } from "./showcase/traffic.ts";
import { keepCron } from "./local-stack.ts";
import { startStack, type Stack } from "./stack.ts";
import { stopOnSignal } from "./signal-handlers.ts";

const HELP = `npm run dev [-- options]

Keeps the local stack running until Ctrl-C: a real Zuplo gateway, the development queue, the worker and a WorkOS stand-in.
The gateway listens on all interfaces, because Zuplo's development server has no option to change that. Everything else listens on 127.0.0.1.
What the policy logs is shown. The worker's cron runs every five seconds instead of every five minutes.

  --gateway-port  default 9000; 0 chooses a free one, as for the others
  --queue-port    default 8080
  --worker-port   default 8787
  --workos-port   default 8090
  --state-dir     where the queue and the worker keep their state; default .audit-forwarder
  --incident      what goes wrong, by the name of an alert in the runbook; default dead_letters_rejected.
                  "--incident help" lists what can go wrong here
  --quiet         no traffic and no incident
  --json          one line of JSON with the URLs and variables once everything is ready; implies --quiet
                  unless --incident is given
  --help          this text

Exit codes: 0 stopped, 1 a part did not start, 2 wrong use.
`;

/** What the console shows first unless you choose something else. */
const DEFAULT_INCIDENT = "dead_letters_rejected";

const PORTS = { gateway: "9000", queue: "8080", worker: "8787", workos: "8090" } as const;

const string = (value: string) => ({ type: "string", default: value }) as const;

function readOptions() {
  const { values } = parseArgs({
    options: {
      "gateway-port": string(PORTS.gateway),
      "queue-port": string(PORTS.queue),
      "worker-port": string(PORTS.worker),
      "workos-port": string(PORTS.workos),
      "state-dir": string(".audit-forwarder"),
      incident: { type: "string" },
      quiet: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.incident !== undefined && values.incident !== "help") parseIncident(values.incident);
  return values;
}

function incidentHelp(): string {
  const missing = Object.entries(NOT_HERE).map(([name, why]) => `  ${name}: ${why}`);
  return ["These can be caused here:", ...INCIDENTS.map((name) => `  ${name}`), "", "These cannot:", ...missing].join(
    "\n",
  );
}

/** The incident to cause; undefined to cause none. */
function incidentOf({ incident, quiet, json }: ReturnType<typeof readOptions>): string | undefined {
  return incident ?? (quiet || json ? undefined : DEFAULT_INCIDENT);
}

function portOf(name: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new AuditError("invalid_option", `"${name}" must be a port from 0 to 65535`);
}

async function run(options: ReturnType<typeof readOptions>): Promise<void> {
  const print = createPrinter(options.json ? console.error : console.log);
  const startedAtMs = performance.now();
  const stack = await startStack({
    ports: {
      gateway: portOf("gateway-port", options["gateway-port"]),
      queue: portOf("queue-port", options["queue-port"]),
      worker: portOf("worker-port", options["worker-port"]),
      workos: portOf("workos-port", options["workos-port"]),
    },
    stateDir: options["state-dir"],
    onStart: (part) => print.step(part),
    onGatewayLine: (line) => {
      if (line.includes("audit-log:")) print.lines(line);
    },
  });
  stopOnSignal(stack, 0);
  void keepCron(stack);
  await (await fetch(stack.gateway.url + WARM_UP_PATH)).arrayBuffer();
  const incident = incidentOf(options);
  if (incident !== undefined) {
    print.step(`incident: ${incident}`);
    await causeIncident(incident, { ...stack, workerUrl: stack.worker.url });
    void keepTraffic(stack.gateway.url);
  }
  if (options.json) {
    console.log(JSON.stringify(description(stack)));
    return;
  }
  print.title(`Ready after ${formatMs(performance.now() - startedAtMs)}. Ctrl-C stops everything.`);
  for (const line of howTo(stack)) print.lines(line);
}

function description(stack: Stack) {
  return {
    gateway: stack.gateway.url,
    queue: stack.queue.url,
    worker: stack.worker.url,
    workos: stack.workos.url,
    gateway_variables: stack.gatewayVariables,
    worker_variables: stack.workerVariables,
  };
}

function howTo(stack: Stack): string[] {
  const { AUDIT_WORKER_URL: url, AUDIT_ADMIN_TOKEN: token } = stack.workerVariables;
  return [
    `\nOpen the console`,
    `  ${url}/console`,
    `  access token   ${token}`,
    `\nURLs`,
    `  gateway   ${stack.gateway.url}   (all interfaces)`,
    `  queue     ${stack.queue.url}`,
    `  worker    ${stack.worker.url}`,
    `  WorkOS    ${stack.workos.url}   stored events: ${stack.workos.url}/__dev/events`,
    `\nVariables of the gateway`,
    ...variables(stack.gatewayVariables),
    `\nVariables of the worker`,
    ...variables(stack.workerVariables),
    `\nTry`,
    `  ${curlOf(stack.gateway.url)}`,
    `  curl -s ${stack.workos.url}/__dev/events`,
    `  AUDIT_WORKER_URL=${url} AUDIT_ADMIN_TOKEN=${token} node cli/bin.mjs dead-letters list`,
  ];
}

function variables(entries: Readonly<Record<string, string>>): string[] {
  return Object.entries(entries).map(([name, value]) => `  ${name}=${value}`);
}

function curlOf(gatewayUrl: string): string {
  const { method, path, token, body } = EXAMPLE_CALL;
  return `curl -i -X ${method} ${gatewayUrl}${path} -H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '${JSON.stringify(body)}'`;
}

try {
  const options = readOptions();
  if (options.help) console.log(HELP);
  else if (options.incident === "help") console.log(incidentHelp());
  else await run(options);
} catch (error) {
  reportFailure(error);
}
