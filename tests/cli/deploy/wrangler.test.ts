import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { SECRETS } from "../../../cli/deploy/variables.ts";
import { wranglerOf } from "../../../cli/deploy/wrangler.ts";

it("wrangler gets the login of Cloudflare in its environment, but no secret of the worker", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wrangler-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const WRANGLER = join(folder, "wrangler");
  await writeFile(WRANGLER, "#!/bin/sh\nenv\n");
  await chmod(WRANGLER, 0o755);
  const secrets = Object.fromEntries(Object.keys(SECRETS).map((name) => [name, "a secret value"]));
  const env = { PATH: process.env["PATH"], CLOUDFLARE_API_TOKEN: "login", ...secrets, WRANGLER };
  const { stdout } = await wranglerOf(folder, env)(["deploy"]);
  expect(stdout).toContain("CLOUDFLARE_API_TOKEN=login");
  expect(stdout).not.toContain("a secret value");
});
