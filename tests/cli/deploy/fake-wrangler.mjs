#!/usr/bin/env node
// Stands in for wrangler in tests of the deploy: keeps an account in a JSON file (FAKE_WRANGLER_STATE) and notes each call.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";

const path = process.env.FAKE_WRANGLER_STATE;
const state = { calls: [], secrets: {}, namespaces: [], workers: [], ...JSON.parse(readFileSync(path, "utf8")) };
const args = process.argv.slice(2);
const flag = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const worker = `audit-forwarder-${flag("--env")}`;
const input = readFileSync(0, "utf8");
state.calls.push({ args, input });

function fail(message) {
  writeFileSync(path, JSON.stringify(state));
  process.stderr.write(`\n✘ [ERROR] ${message}\n\n\n🪵  Logs were written to "/nowhere"\n`);
  process.exit(1);
}

const command = args
  .filter((arg) => !arg.startsWith("-"))
  .slice(0, 3)
  .join(" ");
if (state.failOnCall === state.calls.length) fail(state.failure ?? "Authentication error [code: 10000]");
if (state.failOn && command.startsWith(state.failOn)) fail(state.failure ?? "Authentication error [code: 10000]");

if (command.startsWith("deploy")) {
  const dry = args.includes("--dry-run");
  if (!dry && !state.workers.includes(worker)) state.workers.push(worker);
  for (const name of ["LEDGER", "OUTBOX", ...(state.bound ?? [])])
    process.stdout.write(`env.${name} (X)   Durable Object\n`);
  process.stdout.write(`env.QSTASH_URL ("${state.qstashUrl ?? "https://qstash.upstash.io"}")   Environment Variable\n`);
  if (state.jurisdiction)
    process.stdout.write(`env.AUDIT_JURISDICTION ("${state.jurisdiction}")   Environment Variable\n`);
  if (state.workosUrl) process.stdout.write(`env.WORKOS_BASE_URL ("${state.workosUrl}")   Environment Variable\n`);
  const targets = dry
    ? undefined
    : (state.targets ?? [`https://${worker}.example.workers.dev`, "schedule: */5 * * * *"]);
  const report = {
    type: "deploy",
    version: 1,
    worker_name: worker,
    targets,
    bundle_size: { gzip_bytes: state.gzipBytes ?? 40_000 },
  };
  appendFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, `{"type":"wrangler-session"}\n${JSON.stringify(report)}\n`);
} else if (command.startsWith("secret list")) {
  if (!state.secrets[worker]) fail(`Worker "${worker}" (env: ${flag("--env")}) not found.`);
  process.stdout.write(
    JSON.stringify(Object.keys(state.secrets[worker]).map((name) => ({ name, type: "secret_text" }))),
  );
} else if (command.startsWith("secret bulk")) {
  state.secrets[worker] = { ...state.secrets[worker], ...JSON.parse(input) };
} else if (command.startsWith("kv namespace list")) {
  process.stdout.write(JSON.stringify(state.namespaces));
} else if (command.startsWith("kv namespace create")) {
  state.namespaces.push({ id: `kv${state.namespaces.length}`, title: `${flag("--env")}-${args[3]}` });
} else if (command.startsWith("r2 bucket create")) {
  state.buckets ??= [];
  if (state.buckets.includes(args[3]))
    fail("The bucket you tried to create already exists, and you own it. [code: 10004]");
  state.buckets.push(args[3]);
} else fail(`Unknown command: ${command}`);
writeFileSync(path, JSON.stringify(state));
