import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SECRETS } from "../../cli/deploy/variables.ts";
import { OPTION_RULES } from "../../policy/options.ts";
import { DEAD_LETTER_CLASSES } from "../../shared/dead-letter.ts";
import { pages, ROOT } from "./pages.ts";

/** The members of an exported union of strings, read from the source, so that a new one cannot be forgotten. */
function union(path: string, name: string): readonly string[] {
  const source = readFileSync(join(ROOT, path), "utf8");
  const body = new RegExp(`export type ${name} =([^;]+);`).exec(source)?.[1] ?? "";
  return [...body.matchAll(/"([a-z_]+)"/g)].map(([, member]) => String(member));
}

function anchorsOf(path: string): ReadonlySet<string> {
  return pages().find((page) => page.path === path)?.anchors ?? new Set();
}

describe("docs/operations.md", () => {
  const ofClasses = DEAD_LETTER_CLASSES.map((name) => `dead_letters_${name}`);
  const incidents = [...union("worker/monitor/incidents.ts", "IncidentKind"), ...ofClasses];

  it("finds the incidents in the code", () => {
    expect(incidents).toContain("newer_message");
    expect(incidents.length).toBeGreaterThanOrEqual(10);
  });

  it.each([...incidents, ...DEAD_LETTER_CLASSES])("has a heading for %s", (name) => {
    expect(anchorsOf("docs/operations.md")).toContain(name);
  });
});

describe("docs/security.md", () => {
  /** Signing keys share one drill; some are only kept like secrets. */
  const drills = Object.keys(SECRETS).filter(
    (name) => !/SIGNING|URL|RATE|BYTES|PREVIOUS|ORGANIZATION|EVENTS|ACCESS|ENVIRONMENT|COPIES|ORIGIN/.test(name),
  );
  const gatewayOnly = Object.values(OPTION_RULES).flatMap((rule) =>
    "variable" in rule && rule.variable.endsWith("KEYS") ? [rule.variable] : [],
  );

  it.each(["QStash signing keys", ...drills, ...gatewayOnly])("has a drill for %s", (name) => {
    expect(anchorsOf("docs/security.md")).toContain(name.toLowerCase().replaceAll(" ", "-"));
  });
});
