import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

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
  AUDIT_ADMIN_TOKEN: "test-admin-token-0001",
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["tests/**/*.test.ts"],
          exclude: [...gateway, ...workerd],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        plugins: [
          cloudflareTest({ wrangler: { configPath: "./wrangler.toml" }, miniflare: { bindings: WORKER_VARIABLES } }),
        ],
        test: { name: "workerd", include: workerd, testTimeout: 30_000, hookTimeout: 30_000 },
      },
      {
        // One real gateway at a time: each takes fixed ports and most of a core while it starts.
        test: {
          name: "gateway",
          include: gateway,
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
