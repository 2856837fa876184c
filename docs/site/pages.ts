/** The pages of the documentation in reading order. The site's navigation and `llms.txt` are made from this list. */

interface DocsPage {
  /** Relative to the repository. */
  readonly path: string;
  /** In the navigation. */
  readonly title: string;
  /** One clause that says what the reader finds there. */
  readonly summary: string;
}

interface Section {
  readonly title: string;
  readonly pages: readonly DocsPage[];
}

export const SECTIONS: readonly Section[] = [
  {
    title: "Start",
    pages: [
      {
        path: "README.md",
        title: "Overview",
        summary: "what it does, how to try it on a laptop, how to use it, and what it guarantees",
      },
      {
        path: "docs/getting-started.md",
        title: "Getting started",
        summary: "from an empty folder to an event on your machine, with every command",
      },
      {
        path: "docs/agents.md",
        title: "For coding agents",
        summary: "how an agent works in a repository that has it: files, commands in order, and what it must not do",
      },
      {
        path: "docs/deploy.md",
        title: "Deploy",
        summary: "from a clone or the package to production, step by step, with upgrades and removal",
      },
      {
        path: "docs/migrate.md",
        title: "Migrate",
        summary: "from the custom policy that Zuplo documents to this one, route by route",
      },
      {
        path: "docs/configuration.md",
        title: "Configuration",
        summary: "every option of the policy, `x-audit` on a route, selectors, and every variable of the worker",
      },
    ],
  },
  {
    title: "Operate",
    pages: [
      {
        path: "docs/operations.md",
        title: "Operations",
        summary: "the runbook: every alert, dead letters, replays, metrics, logs and backups",
      },
      {
        path: "docs/console.md",
        title: "Console",
        summary: "the worker's web page for the person on call",
      },
      { path: "docs/cost.md", title: "Cost", summary: "what QStash and Cloudflare cost per million events" },
      {
        path: "docs/api.md",
        title: "HTTP API",
        summary: "every route of the worker, its parameters, answers, errors and roles",
      },
    ],
  },
  {
    title: "Trust",
    pages: [
      {
        path: "docs/security.md",
        title: "Security",
        summary: "which data goes where, regions, how to change each secret, threats, and retention",
      },
      {
        path: "docs/evidence.md",
        title: "Evidence",
        summary: "how an auditor proves that the log is complete and unchanged",
      },
      {
        path: "SECURITY.md",
        title: "Report a vulnerability",
        summary: "how to report a vulnerability, and how to check what you installed",
      },
    ],
  },
  {
    title: "Background",
    pages: [
      {
        path: "docs/architecture.md",
        title: "Architecture",
        summary: "the journey of a record, and each decision with its reason",
      },
      {
        path: "docs/comparison.md",
        title: "Comparison",
        summary: "other ways to put a gateway's requests into an audit log, with what each does better",
      },
      {
        path: "bench/README.md",
        title: "Benchmarks",
        summary: "what was measured, how, and which goals were missed",
      },
    ],
  },
  {
    title: "Project",
    pages: [
      { path: "CONTRIBUTING.md", title: "Contributing", summary: "set-up, layout, rules, tests and releases" },
      { path: "CHANGELOG.md", title: "Changelog", summary: "what each version changed" },
    ],
  },
];

/** All pages, in reading order. */
export const PAGES: readonly DocsPage[] = SECTIONS.flatMap(({ pages }) => pages);

/** The first page of the site, which only the site has. */
export const LANDING = "docs/site/index.md";

/** Pages that lie elsewhere on the site than in the repository, by their path in the repository. */
export const MOVED: Readonly<Record<string, string>> = {
  [LANDING]: "index.md",
  "README.md": "overview.md",
  "bench/README.md": "bench.md",
};

/** Where a page lies on the site: its path without the extension. */
export function sitePath(path: string): string {
  return (MOVED[path] ?? path).replace(/\.md$/, "");
}
