/** The texts of the options reference: the purpose of each option, with an example. The rules are in `options.ts`. */
import { OPTION_RULES, type OptionName, type Rule } from "./options.ts";

interface Words {
  readonly description: string;
  readonly example: unknown;
}

const WORDS: Readonly<Record<OptionName, Words>> = {
  assurance: {
    description:
      "How sure a record must be before the caller gets its answer; a route's `x-audit` can say otherwise. `best-effort`: after the response. `durable`: the response waits for a durable enqueue, at most `budgetMs`. `required`: without an enqueued intent the request is refused with 503.",
    example: "durable",
  },
  budgetMs: {
    description: "How long `durable` may hold a response, and how long `required` tries each path before it refuses.",
    example: 300,
  },
  watchdogMs: {
    description:
      "Time after which a record whose final hook has not run is sent with the outcome `unknown`. A later outcome of the same request wins.",
    example: 15_000,
  },
  coalesceMs: {
    description:
      "How long a `best-effort` record waits for others of its isolate, to share a message with them. If no record arrived within half of this time before it, it is sent after 10 ms.",
    example: 100,
  },
  maxRecords: { description: "Most records in one message.", example: 50 },
  timeoutMs: { description: "Longest time for one message on one path, after the response.", example: 2_000 },
  holdMs: {
    description: "How long a record stays in memory and is retried while neither the queue nor the worker answers.",
    example: 10_000,
  },
  bodyLimitBytes: {
    description:
      "Longest body that `$body.*` and `$response.body.*` read, in bytes, compressed and decompressed. The record of a longer one is marked and has its length. Keep it above what your handlers accept: a caller can make a body longer to hide it.",
    example: 200_000,
  },
  defaults: {
    description: "Defaults for `x-audit`: the same fields, which each route can override.",
    example: { organization: "$user.data.organizationId", actor: { type: "api_key" } },
  },
  pseudonymize: {
    description:
      "Values that become keyed pseudonyms: a selector (`$body.email`), or a field of the record: `actor.id`, `actor.name`, `actor.metadata.*`, `targets.id`, `targets.name`, `targets.metadata.*`, `metadata.*`, `ip`, `userAgent`. `init --check` names one that is neither.",
    example: ["$body.email", "ip"],
  },
  pseudonymKeys: {
    description: "Keys of the pseudonyms, `id:base64key`, the current one first. Older ones only serve lookups.",
    example: "$env(AUDIT_PSEUDONYM_KEYS)",
  },
  redact: {
    description:
      "Further names, in any case, whose selected values are dropped, in addition to the built-in ones (password, token, cookie, …).",
    example: ["iban", "diagnosis"],
  },
  omit: { description: "Fields to leave out of every record.", example: ["ip", "geo"] },
  qstashUrl: { description: "URL of QStash.", example: "$env(QSTASH_URL)" },
  qstashToken: { description: "QStash's token.", example: "$env(QSTASH_TOKEN)" },
  workerUrl: {
    description: "URL of the worker, as QStash and this gateway reach it.",
    example: "$env(AUDIT_WORKER_URL)",
  },
  ingestKey: {
    description: "Signs messages spilled to the worker, which has the same key.",
    example: "$env(AUDIT_INGEST_KEY)",
  },
  organizationId: {
    description: "The WorkOS organization of a record whose route names none.",
    example: "$env(AUDIT_ORGANIZATION_ID)",
  },
  flowControlKey: {
    description:
      "QStash's flow-control key: one for each WorkOS environment; the worker's `AUDIT_FLOW_CONTROL_KEY` is the same.",
    example: "workos-production",
  },
  rate: { description: "Messages a second that QStash delivers under the flow-control key.", example: 40 },
  retries: {
    description:
      "Retries of a delivery; their delays are chosen so that the last falls 18 to 23 h after the first attempt.",
    example: 5,
  },
};

interface OptionReference extends Words {
  readonly name: OptionName;
  readonly rule: Rule;
}

/** Every option with its rule and its text, in the order of the table. */
export const OPTIONS_REFERENCE: readonly OptionReference[] = Object.entries<Rule>(OPTION_RULES).map(([name, rule]) => ({
  name: name as OptionName,
  rule,
  ...WORDS[name as OptionName],
}));
