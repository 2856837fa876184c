/** `npm run drill`: the real processes under load and faults; exits 0 only if every acknowledged record ended exactly once. */
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { AuditError } from "../shared/errors.ts";
import { reportFailure } from "./command-failure.ts";
import { runDrill, type DrillOptions } from "./drill/run.ts";
import { drillView } from "./drill/view.ts";

const HELP = `npm run drill [-- options]

Runs the gateway, the worker, the development queue and the WorkOS stand-in as processes under load. Meanwhile each of them is
killed and stopped, WorkOS fails, the queue's disk is full, and clocks jump. At the end every record that the queue or the spill
acknowledged must be one event or one dead letter, none twice.

  --seconds  length of the load; default 180, at least 20
  --rate     requests a second; default 100
  --seed     decides the faults; default a random one, which is printed
  --json     one JSON document on stdout; progress goes to stderr
  --help     this text

Exit codes: 0 every record ended exactly once, 1 one did not or a part did not start, 2 wrong use.
`;

const SECONDS_MIN = 20;
const WHOLE = /^\d{1,9}$/;

const string = (value: string) => ({ type: "string", default: value }) as const;

function readOptions(): (Omit<DrillOptions, "stateDir"> & { readonly json: boolean }) | undefined {
  const { values } = parseArgs({
    options: {
      seconds: string("180"),
      rate: string("100"),
      seed: string(String(randomInt(2 ** 31))),
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const whole = (name: "seconds" | "rate" | "seed", min: number) => {
    const number = Number(values[name]);
    if (WHOLE.test(values[name]) && number >= min) return number;
    throw new AuditError("invalid_option", `"${name}" must be a whole number of at least ${min}`);
  };
  return {
    lengthMs: whole("seconds", SECONDS_MIN) * 1000,
    ratePerSecond: whole("rate", 1),
    seed: whole("seed", 0),
    json: values.json,
  };
}

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) {
    console.log(HELP);
    return 0;
  }
  const stateDir = await mkdtemp(join(tmpdir(), "audit-drill-"));
  const view = drillView(options);
  try {
    const report = await runDrill({ ...options, stateDir }, view);
    view.end(report);
    if (options.json) console.log(JSON.stringify(report, null, 2));
    return report.verdict.ok ? 0 : 1;
  } finally {
    view.close();
    await rm(stateDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  reportFailure(error);
}
