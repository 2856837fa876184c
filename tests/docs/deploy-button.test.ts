import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, it } from "vitest";
import { missingSecrets } from "../../cli/deploy/variables.ts";
import { parseSettings } from "../../worker/variables.ts";
import { ROOT } from "./pages.ts";

const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const example = parseEnv(read(".dev.vars.example"));
const { cloudflare, scripts } = JSON.parse(read("package.json")) as {
  cloudflare: { bindings: Record<string, { description: string }> };
  scripts: Record<string, string>;
};
/** wrangler.toml outside of its environments, which is what Cloudflare's button reads. */
const [base = ""] = read("wrangler.toml").split(/^\[env\./m);
const plain = [...(/^\[vars\]\n([^[]*)/m.exec(base)?.[1] ?? "").matchAll(/^(\w+) =/gm)].map(([, name = ""]) => name);

it("asks for exactly the secrets that the worker needs", () => {
  expect(Object.keys(example).toSorted()).toEqual([...missingSecrets([], []), "AUDIT_WORKER_URL"].toSorted());
});

it("suggests no value, and a worker that got none says which are missing", () => {
  expect(Object.values(example).filter((value) => value !== "")).toEqual([]);
  const parsed = parseSettings({ ...example, QSTASH_URL: "https://qstash.upstash.io" });
  expect(parsed.ok ? [] : parsed.missing.toSorted()).toEqual(Object.keys(example).toSorted());
});

it("describes each secret and each variable, and nothing else", () => {
  const { bindings } = cloudflare;
  expect(plain).toContain("QSTASH_URL");
  expect(Object.keys(bindings).toSorted()).toEqual([...Object.keys(example), ...plain].toSorted());
  for (const { description } of Object.values(bindings)) expect(description).toMatch(/^[A-Z].{20,}\.$/);
});

it("needs no resource that the button would have to make first", () => {
  const bound = [...base.matchAll(/^class_name = "(\w+)"/gm)].map(([, name = ""]) => name);
  const migrated = [...base.matchAll(/^new_sqlite_classes = (.+)$/gm)].flatMap(
    ([, list = "[]"]) => JSON.parse(list) as string[],
  );
  expect(migrated.toSorted()).toEqual(bound.toSorted());
  expect(base).not.toMatch(/^\[\[(?:kv_namespaces|r2_buckets|queues|d1_databases)/m);
});

it("names the scripts that Cloudflare runs, and links to a repository called as this package is", () => {
  expect(scripts).toMatchObject({ build: expect.any(String), deploy: expect.any(String) });
  const [, section = ""] = read("docs/deploy.md").split("## The deploy button");
  expect(section).toContain("](https://deploy.workers.cloudflare.com/?url=https://github.com/OWNER/audit-forwarder)");
});
