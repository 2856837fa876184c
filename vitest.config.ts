import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { writeConsole } from "./console/build.ts";
import { SpreadingSequencer } from "./tests/order/sequencer.ts";
import { OPERATORS } from "./tests/worker/support/tokens.ts";

const gateway = ["tests/gateway/**/*.test.ts", "tests/e2e/**/*.test.ts"];
const workerd = ["tests/**/*.workerd.test.ts"];

/** The worker's variables in its own runtime; tests put a stand-in behind `fetch`, nothing here exists. */
const WORKER_VARIABLES = {
  WORKOS_API_KEY: "sk_test_workos",
  QSTASH_URL: "https://qstash.example",
  QSTASH_TOKEN: "test_qstash_token",
  QSTASH_CURRENT_SIGNING_KEY: "sig_test_current",
  QSTASH_NEXT_SIGNING_KEY: "sig_test_next",
  AUDIT_WORKER_URL: "https://worker.example",
  AUDIT_INGEST_KEY: "whsec_dGVzdC1pbmdlc3Qta2V5LTMyLWJ5dGVzLWxvbmchISE=",
  AUDIT_ADMIN_TOKEN: "test-admin-token-0000001",
  AUDIT_EVIDENCE_COPIES: "true",
  AUDIT_EVIDENCE_KEY: "evk_nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  AUDIT_ENVIRONMENT: "test",
  AUDIT_TOKENS: JSON.stringify(
    Object.values(OPERATORS).map(({ token, ...entry }) => ({
      ...entry,
      sha256: createHash("sha256").update(token).digest("hex"),
    })),
  ),
};

/** For the processes that tests start; the same as under `npm test`. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL(".audit-forwarder/compile-cache", import.meta.url)) };

/** Ends what hangs, and judges no speed: a test of a few seconds takes ten times as long where others have the machine. */
const PATIENCE_MS = 300_000;
const patience = { testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS, expect: { poll: { timeout: PATIENCE_MS } } };

// `[assets]` in wrangler.toml must exist before the worker starts.
await writeConsole();

export default defineConfig({
  test: {
    // Two more than there are cores: files that wait for a gateway or a clock leave the cores to the others.
    maxWorkers: availableParallelism() + 2,
    globalSetup: ["./tests/order/cli-bundle.ts", "./tests/order/worker-bundle.ts"],
    sequence: { sequencer: SpreadingSequencer },
    projects: [
      {
        test: {
          name: "node",
          env,
          // Each process runs many files and imports a module once: with a process for each file, imports took a tenth of all CPU.
          isolate: false,
          restoreMocks: true,
          include: ["tests/**/*.test.ts"],
          exclude: [...gateway, ...workerd],
          // Its modules import JSON without the attribute that Node asks for.
          server: { deps: { inline: [/node_modules\/@actions\//] } },
          ...patience,
        },
      },
      {
        plugins: [
          cloudflareTest({
            // In place of the built file, so that a test sees the source as it stands.
            main: "./worker/index.ts",
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: WORKER_VARIABLES, r2Buckets: ["EVIDENCE"] },
          }),
        ],
        test: { name: "workerd", include: workerd, ...patience },
      },
      {
        // One file at a time, beside the other projects: two gateways would take each other's time.
        test: {
          name: "gateway",
          env,
          include: gateway,
          setupFiles: ["./tests/order/gateway-turn.ts"],
          ...patience,
        },
      },
    ],
  },
});
