import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const gateway = ["tests/gateway/**/*.test.ts", "tests/e2e/**/*.test.ts"];
const workerd = ["tests/**/*.workerd.test.ts"];

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
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
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
