/** `npm run bench`: runs the parts one after another, shows them, and writes the results. */
import { constants } from "node:os";
import { parseBenchOptions } from "./options.ts";
import { conditionsNow } from "./report/conditions.ts";
import { printResult, progressOf } from "./report/console.ts";
import type { Part, PartName } from "./report/part.ts";
import { type PartResult, writeResults } from "./report/readme.ts";

/** Loaded one by one, so that a part which is not asked for need not even start. */
const PARTS: Readonly<Record<PartName, () => Promise<{ readonly part: Part }>>> = {
  gateway: () => import("./gateway/part.ts"),
  protocols: () => import("./protocols/part.ts"),
  "policy-cpu": () => import("./policy-cpu/part.ts"),
  bytes: () => import("./bytes/part.ts"),
  worker: () => import("./worker/part.ts"),
  growth: () => import("./growth/part.ts"),
  drain: () => import("./drain/part.ts"),
  outage: () => import("./outage/part.ts"),
  freshness: () => import("./freshness/part.ts"),
  evidence: () => import("./evidence/part.ts"),
  sealing: () => import("./sealing/part.ts"),
};

// A signal alone would end the process without its "exit" handlers, which end the processes of the parts.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

const options = await parseBenchOptions(process.argv.slice(2));
if (options) {
  const results: PartResult[] = [];
  for (const name of options.parts) {
    const result = await runPart(name, options.command, options.quick);
    if (!options.json) printResult(result);
    results.push(result);
    // At once, so that what was measured stays even where a later part fails.
    if (!options.quick) await writeResults([result]);
  }
  if (options.json) console.log(JSON.stringify(results, null, 2));
  else console.log(options.quick ? "\nquick run: nothing was written" : "\nwritten to bench/README.md");
}

async function runPart(name: PartName, command: string, quick: boolean): Promise<PartResult> {
  const { part } = await PARTS[name]();
  const conditions = await conditionsNow(command);
  const progress = progressOf(name);
  try {
    return { ...(await part.run({ quick, step: progress.step })), name, title: part.title, conditions };
  } finally {
    progress.end();
  }
}
