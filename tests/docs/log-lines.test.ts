/** The worker's log has the names of OpenTelemetry, and docs/operations.md lists what the worker writes. */
import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { LOG_ATTRIBUTES, LOG_EVENTS } from "../../worker/log-events.ts";
import { ROOT } from "./pages.ts";

/**
 * Fields of the log record itself, in the spelling for formats other than OTLP.
 * https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
 */
const RECORD_FIELDS = new Set(["trace_id", "span_id"]);

/** The attributes of the semantic conventions that are not deprecated, from the types of the official package. */
function currentAttributes(): ReadonlySet<string> {
  const package_ = dirname(createRequire(import.meta.url).resolve("@opentelemetry/semantic-conventions"));
  const types = ["stable", "experimental"].map((kind) =>
    readFileSync(join(package_, `${kind}_attributes.d.mts`), "utf8"),
  );
  const declared = types.flatMap((text) => [
    ...text.matchAll(/\/\*\*(?<about>(?:(?!\*\/)[^])*)\*\/\ndeclare const ATTR_\w+: "(?<name>[^"]+)"/g),
  ]);
  return new Set(
    declared.flatMap(({ groups }) => (groups?.["about"]?.includes("@deprecated") ? [] : String(groups?.["name"]))),
  );
}

it("names what the semantic conventions have a name for as they do, and everything else audit.*", () => {
  const current = currentAttributes();
  expect(current.size).toBeGreaterThan(500);
  expect(["http.route", "http.target", "enduser.id", "event.name"].map((name) => current.has(name))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  const others = Object.keys(LOG_ATTRIBUTES).filter((name) => !current.has(name) && !RECORD_FIELDS.has(name));
  for (const name of [...others, ...Object.keys(LOG_EVENTS)]) expect(name).toMatch(/^audit\.[a-z]+(_[a-z]+)*$/);
});

it("has no attribute that no line has", () => {
  const used = new Set<string>(Object.values(LOG_EVENTS).flatMap(({ attributes }) => attributes));
  expect(Object.keys(LOG_ATTRIBUTES).filter((name) => !used.has(name))).toEqual([]);
});

it("lists the lines that the worker writes, and nothing else in the worker writes to the console", () => {
  const sources = globSync("worker/**/*.ts", { cwd: ROOT }).map(
    (path) => [path, readFileSync(join(ROOT, path), "utf8")] as const,
  );
  const written = sources.flatMap(([, text]) =>
    [...text.matchAll(/\blog\(\s*"([\w.]+)"/g)].map(([, name]) => String(name)),
  );
  expect([...new Set(written)].toSorted()).toEqual(Object.keys(LOG_EVENTS).toSorted());
  const writers = sources.filter(([, text]) => /\bconsole(?:\[|\.\w+\()/.test(text)).map(([path]) => path);
  expect(writers).toEqual(["worker/log.ts"]);
});

it("says of which version of the conventions the names are", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const [version = ""] = /^\d+\.\d+/.exec(devDependencies["@opentelemetry/semantic-conventions"] ?? "") ?? [];
  const page = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
  expect(page).toContain(
    `[OpenTelemetry's semantic conventions](https://opentelemetry.io/docs/specs/semconv/) ${version}`,
  );
});
