import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { CI_OK, makeCopy, type Copy } from "./harness.ts";

/** Variables of an operator's shell; the names alone do not give all of them away. */
const SECRETS = {
  WORKOS_API_KEY: "s1",
  QSTASH_TOKEN: "s2",
  AUDIT_ADMIN_TOKEN: "s3",
  CLOUDFLARE_API_TOKEN: "s4",
  DATABASE_URL: "s5",
  SENTRY_DSN: "s6",
  NODE_AUTH_TOKEN: "s7",
  PGPASSWORD: "s8",
};
const PUBLIC = {
  LANG: "en_US.UTF-8",
  LC_ALL: "C.UTF-8",
  https_proxy: "http://127.0.0.1:1",
  NO_PROXY: "localhost",
  SSL_CERT_FILE: "/nonexistent.pem",
};
const OLD = { nodeVersion: "20.20.2" };

const namesIn = (listing: string): string[] => listing.split("\n").map((line) => line.split("=")[0] ?? "");
const secretsIn = (listing: string): string[] =>
  namesIn(listing)
    .filter((name) => Object.keys(SECRETS).includes(name))
    .toSorted();

async function copyThatListsNpmsEnvironment(): Promise<Copy> {
  const copy = await makeCopy({});
  await copy.useNpm({ ci: `env > npm-env; ${CI_OK}` });
  return copy;
}

describe("npm's environment", () => {
  it("holds no secret, but the settings of npm, the network and the language", async () => {
    const copy = await copyThatListsNpmsEnvironment();
    const npm = { npm_config_registry: "http://127.0.0.1:1", NPM_CONFIG_LOGLEVEL: "warn" };
    await copy.run(["deploy"], { ...OLD, env: { ...SECRETS, ...PUBLIC, ...npm } });
    const listing = await copy.read("npm-env");
    expect(secretsIn(listing)).toEqual([]);
    expect(namesIn(listing)).toEqual(expect.arrayContaining([...Object.keys(PUBLIC), ...Object.keys(npm)]));
  });

  it.each([
    { npmrc: "the project's", file: "clone/.npmrc", env: {} },
    { npmrc: "the user's", file: ".npmrc", env: {} },
    { npmrc: "a named user's", file: "mine/npmrc", env: { npm_config_userconfig: "mine/npmrc" } },
    { npmrc: "a named machine's", file: "etc/npmrc", env: { npm_config_globalconfig: "etc/npmrc" } },
  ])("holds the token that $npmrc .npmrc refers to, and no other", async ({ file, env }) => {
    const copy = await copyThatListsNpmsEnvironment();
    const home = dirname(copy.root);
    await copy.write(join("..", file), "//registry.example/:_authToken=${NODE_AUTH_TOKEN}\nscope=${NOT_SET?}\n");
    const paths = Object.fromEntries(Object.entries(env).map(([name, path]) => [name, join(home, path)]));
    await copy.run(["bench"], { env: { ...SECRETS, HOME: home, ...paths } });
    expect(secretsIn(await copy.read("npm-env"))).toEqual(["NODE_AUTH_TOKEN"]);
  });
});

describe("a task's environment", () => {
  const LIST = "console.log(Object.keys(process.env).join('\\n'));";

  it.each(["demo", "dev", "bench", "test", "build", "check", "format", "upload"])("%s gets no secret", async (task) => {
    const copy = await makeCopy({});
    const files = ["dev/demo.ts", "dev/dev.ts", "bench/run.ts", "worker/upload.ts", "docs/generate.ts"];
    const tools = [
      "vitest/vitest.mjs",
      "wrangler/bin/wrangler.js",
      "prettier/bin/prettier.cjs",
      "oxlint/bin/oxlint",
      "typescript/bin/tsc",
    ];
    await copy.run(["bench"]);
    for (const file of [...files, ...tools.map((tool) => `node_modules/${tool}`)]) {
      await copy.write(
        file,
        `${LIST}${file.endsWith("generate.ts") || task !== "check" ? "" : "process.exitCode = 1;"}`,
      );
    }
    await copy.write("policy/build.ts", `${LIST} export const buildPolicy = () => ({});`);
    const { stdout } = await copy.run([task], { env: { ...SECRETS, ...PUBLIC } });
    expect(secretsIn(stdout)).toEqual([]);
    expect(namesIn(stdout)).toEqual(expect.arrayContaining(Object.keys(PUBLIC)));
  });

  it.each(["cli", "deploy", "wrangler"])("%s gets all, because it works with them", async (task) => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    for (const file of ["cli/main.ts", "node_modules/wrangler/bin/wrangler.js"]) {
      await copy.write(file, LIST);
    }
    const { stdout } = await copy.run([task], { env: SECRETS });
    expect(secretsIn(stdout)).toEqual(Object.keys(SECRETS).toSorted());
  });
});
