/** The Grafana dashboard and the Prometheus rules parse, and name only metrics and labels that the worker exposes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { render } from "../../worker/metrics-text.ts";
import { pages, ROOT } from "./pages.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

/** Incidents that no metric shows: they come only as alerts of the worker itself. */
const WITHOUT_METRIC = [
  "queue_unreachable",
  "ledger_unreachable",
  "newer_message",
  "not_configured",
  "foreign_messages",
  "sweep_failing",
  "gateway_silent",
];

/** Prometheus adds these to whatever it scrapes. */
const LABELS_OF_SCRAPE = ["job", "instance"];

const read = (name: string) => readFileSync(join(ROOT, "docs/observability", name), "utf8");
const rules = (parse(read("prometheus-alerts.yaml")) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const dashboard = JSON.parse(read("grafana-dashboard.json")) as Dashboard;
const exposed = exposedByWorker();

/** Metrics with their labels and the values that are known in advance, from the text with one sample of each kind. */
function exposedByWorker() {
  const text = render(
    {
      numbers: {},
      waiting: 0,
      oldestWaitingMs: null,
      outboxWaiting: 0,
      outboxOldestMs: null,
      isPaused: false,
      tally: { "refused /deliver key": 1, "refused admin token": 1 },
      waitingMessages: 0,
      storage: [{ object: "ledger", shard: 0, bytes: 1 }],
      evidence: { sealedUntilMs: 0, size: 0, failing: undefined },
      deadLetters: [],
    },
    0,
  );
  const samples = new Map<string, Map<string, string[]>>();
  for (const line of text.split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
    const name = /^\w+/.exec(line)?.[0] ?? "";
    const labels = samples.get(name) ?? new Map<string, string[]>();
    for (const [, label = "", value = ""] of line.matchAll(/(\w+)="([^"]*)"/g))
      labels.set(label, [...(labels.get(label) ?? []), value]);
    samples.set(name, labels);
  }
  return { samples, names: [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => String(name)) };
}

interface Named {
  readonly metrics: readonly string[];
  readonly problems: readonly string[];
}

/** What an expression names, and what is wrong with it. Grafana's interval variable stands for a duration. */
function check(source: string): Named {
  const expr = source.replaceAll("$__rate_interval", "5m");
  const metrics: string[] = [];
  const labels: string[] = [];
  const problems: string[] = [];
  const known = (metric: string) => exposed.samples.get(metric);
  parser.parse(expr).iterate({
    enter: (node) => {
      const text = expr.slice(node.from, node.to);
      if (node.type.isError) problems.push(`syntax at ${node.from}`);
      if (node.name === "LabelName") labels.push(text);
      if (node.name !== "VectorSelector") return;
      const metric = /^\w+/.exec(text)?.[0] ?? text;
      metrics.push(metric);
      if (!known(metric)) problems.push(`no metric ${metric}`);
      for (const [, label = "", operator, value = ""] of text.matchAll(/(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"/g)) {
        if (LABELS_OF_SCRAPE.includes(label)) continue;
        const values = known(metric)?.get(label);
        if (!values) problems.push(`${metric} has no label ${label}`);
        else if (operator === "=" && !values.includes(value)) problems.push(`${metric} has no ${label} ${value}`);
      }
    },
  });
  const possible = [...LABELS_OF_SCRAPE, ...metrics.flatMap((metric) => [...(known(metric)?.keys() ?? [])])];
  for (const label of labels) if (!possible.includes(label)) problems.push(`no label ${label}`);
  return { metrics, problems };
}

/** Labels that a template such as `{{class}}` or `{{ $labels.object }}` shows. */
function labelsShown(template: string): readonly string[] {
  return [...template.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label]) => String(label));
}

describe("the check itself", () => {
  it.each([
    ["audit_pauzed == 1", "no metric audit_pauzed"],
    ["audit_paused{class='x'} ==", "syntax"],
    ['audit_dead_letters{klass="rejected"} > 0', "audit_dead_letters has no label klass"],
    ['audit_dead_letters{class="lost"} > 0', "audit_dead_letters has no class lost"],
    ["sum by (class) (audit_attempts_total)", "no label class"],
  ])("finds what is wrong with %s", (expr, problem) => {
    expect(check(expr).problems.join("; ")).toContain(problem);
  });
});

describe("docs/observability/prometheus-alerts.yaml", () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))("%s names what exists", (_, { expr, annotations }) => {
    const { metrics, problems } = check(expr);
    expect(problems).toEqual([]);
    const shown = labelsShown(annotations["summary"] ?? "");
    const labels = metrics.flatMap((metric) => [...(exposed.samples.get(metric)?.keys() ?? [])]);
    for (const label of shown) expect(labels).toContain(label);
    const [page, anchor] = (annotations["runbook"] ?? "").split("#");
    expect(pages().find(({ path }) => path === page)?.anchors).toContain(anchor);
  });

  it("has one rule for each incident of the runbook that a metric shows", () => {
    const runbook = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
    const alerts = /\n## Alerts\n(?<body>.*?)\n## /s.exec(runbook)?.groups?.["body"] ?? "";
    const incidents = [...alerts.matchAll(/^### (\w+)$/gm)].map(([, name]) => String(name));
    const ruled = rules.flatMap(({ labels }) => labels["incident"] ?? []);
    expect([...ruled, ...WITHOUT_METRIC].toSorted()).toEqual(incidents.toSorted());
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe("docs/observability/grafana-dashboard.json", () => {
  it.each(dashboard.panels.map((panel) => [panel.title, panel] as const))("%s names what exists", (_, { targets }) => {
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr, legendFormat } of targets) {
      expect(check(expr).problems).toEqual([]);
      for (const label of labelsShown(legendFormat)) expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
    }
  });

  it("shows every metric of the worker", () => {
    const shown = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => check(expr).metrics));
    expect(new Set(shown.map((name) => name.replace(/_bucket$/, "")))).toEqual(new Set(exposed.names));
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  it("lists the workers from a metric that exists", () => {
    const query = dashboard.templating.list.find(({ name }) => name === "instance")?.query ?? "";
    const [, metric = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
    expect(exposed.names).toContain(metric);
    expect(LABELS_OF_SCRAPE).toContain(label);
  });
});
