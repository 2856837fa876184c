/** `docs/configuration.md`: every option, selector, variable, limit, code and field, from the code that reads them. */
import { readFile } from "node:fs/promises";
import * as limits from "../../shared/limits.ts";
import { HORIZON_MAX_MS, HORIZON_MIN_MS, retryPlan } from "../../shared/retry-horizon.ts";
import { EVENT_METADATA } from "../../shared/event.ts";
import { EvidenceVariables } from "../../worker/evidence/variables.ts";
import { Variables } from "../../worker/variables.ts";
import { commandVariables } from "./command-variables.ts";
import { exportedConstants, literalsOf, membersOf } from "./comments.ts";
import { code, linked, table } from "./markdown.ts";
import { describedInCode, gatewayVariables, policyOptions } from "./policy-options.ts";
import { meaning } from "./route-meaning.ts";

/** The page, not yet formatted. `path` resolves a path inside the repository. */
export async function configurationPage(path: (name: string) => string): Promise<string> {
  const sections = [
    HEAD,
    policyOptions(),
    meaning(),
    describedInCode(await readFile(path("policy/public-types.ts"), "utf8")),
    gatewayVariables(),
    await workerVariables(path("worker/variables.ts")),
    await evidenceVariables(path("worker/evidence/variables.ts")),
    commandVariables(),
    retries(),
    await limitTable(path("shared/limits.ts")),
    await errorTable(path("shared/errors.ts")),
    await metadataTable(path("shared/event.ts")),
  ];
  return `${sections.join("\n\n")}\n`;
}

const HEAD = `<!-- Made by docs/generate.ts from the code; "npm run check" fails where it is out of step. Do not edit. -->

# Configuration`;

async function workerVariables(path: string): Promise<string> {
  const rows = (await membersOf(path, "Variables")).map(({ name, about }) => {
    const parsed = Variables.shape[name as keyof typeof Variables.shape].safeParse(undefined);
    const need = !parsed.success
      ? "required"
      : parsed.data === undefined
        ? "optional"
        : `default ${code(`${parsed.data as string | number}`)}`;
    return [code(name), need, linked(about)];
  });
  return `## Variables of the worker

If a required variable is missing, or any is malformed, \`/health\` answers 503 and names it. \`/deliver\` then answers with a retry, so that
nothing is lost. \`npm run deploy\` sets them ([deploy](deploy.md)).

${table(["variable", "", "meaning"], rows)}

## Directory of organizations and names

Optional: a KV namespace, bound to the worker as \`DIRECTORY\` (\`npm run deploy -- --directory\` makes it). Values are plain text.

${table(["key", "value"], DIRECTORY)}

A name in the record itself takes precedence. The worker caches answers for a few minutes, so a change takes that long. While the directory
does not answer, records that need an organization from it wait, and other records are sent without names.`;
}

async function evidenceVariables(path: string): Promise<string> {
  const rows = (await membersOf(path, "EvidenceVariables")).map(({ name, about }) => {
    const isOptional =
      EvidenceVariables.shape[name as keyof typeof EvidenceVariables.shape].safeParse(undefined).success;
    return [code(name), isOptional ? "optional" : "required", linked(about)];
  });
  return `## Variables of the evidence

The worker reads these only if an R2 bucket is bound as \`EVIDENCE\`. Without a bucket it keeps no evidence. If a required variable is missing,
or any is malformed, sealing waits and \`/health\` says so. Deliveries continue, and their events are sealed later.

${table(["variable", "", "meaning"], rows)}`;
}

const DIRECTORY = [
  [code("organization"), "the WorkOS organization of records that name none"],
  [code("organization:<id>"), "the WorkOS organization (`org_…`) for an id of your own system"],
  [code("name:<type>:<id>"), "the name of an actor or a target, such as `name:user:42`"],
];

function retries(): string {
  const rows = [3, 4, 5, 6, 7, 8].map((count) => {
    const { delaysMs, delayExpression, horizonMs } = retryPlan(count);
    return [String(count), code(delayExpression), delaysMs.map(duration).join(", "), duration(horizonMs)];
  });
  return `## Retries

QStash repeats a failed attempt. The last attempt comes between ${duration(HORIZON_MIN_MS)} and ${duration(HORIZON_MAX_MS)} after the first, inside
the 24 h for which WorkOS remembers an idempotency key. Your QStash plan limits the number of retries.

${table(["retries", "`Upstash-Retry-Delay`", "waits", "last attempt after"], rows)}`;
}

async function limitTable(path: string): Promise<string> {
  const rows = (await exportedConstants(path)).map(({ name, about }) => [
    code(name),
    quantity(name, (limits as Readonly<Record<string, number>>)[name] ?? 0),
    linked(about),
  ]);
  return `## Limits

An event lists everything that was cut to a limit in \`metadata.truncated\`. Nothing is dropped silently.

${table(["limit", "value", "why"], rows)}`;
}

async function errorTable(path: string): Promise<string> {
  const rows = (await literalsOf(path, "ErrorCode")).map(({ name, about }) => [code(name), about]);
  return `## Error codes

A problem document (\`application/problem+json\`) has one of these in \`code\`, and a command prints one in \`error[…]\`. A code never changes
its meaning. Commands also use \`wrong_use\` (exit 2: nothing was done) and \`aborted\`.

${table(["code", "meaning"], rows)}`;
}

async function metadataTable(path: string): Promise<string> {
  const rows = (await membersOf(path, "EVENT_METADATA")).map(({ name, about }) => [
    code(name),
    EVENT_METADATA[name as keyof typeof EVENT_METADATA],
    about,
  ]);
  return `## Metadata of every event

The forwarder adds these to your own \`metadata\`. They replace your fields with the same name. A field without a value is left out.
\`audit-forwarder schemas push\` registers them with each action.

${table(["field", "type", "meaning"], rows)}`;
}

/** A number with the unit that ends its name. */
function quantity(name: string, value: number): string {
  if (name.endsWith("_MS")) return duration(value);
  if (name.endsWith("_SECONDS")) return duration(value * 1000);
  const unit = /_(BYTES|CHARS|CODE_POINTS)$/.exec(name)?.[1]?.toLowerCase().replace("_", " ");
  return `${value.toLocaleString("en")}${unit ? ` ${unit.replace("chars", "characters")}` : ""}`;
}

function duration(ms: number): string {
  const [size, unit] = (
    [
      [86_400_000, "d"],
      [3_600_000, "h"],
      [60_000, "min"],
      [1000, "s"],
    ] as const
  ).find(([size]) => ms >= size * (size === 86_400_000 ? 2 : 1)) ?? [1, "ms"];
  return `${Number((ms / size).toFixed(1))} ${unit}`;
}
