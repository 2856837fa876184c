/** Rules for GitHub workflows. */
import { isMap, isPair, isScalar, parseDocument, visit } from "yaml";
import { WORKFLOW, type Tree } from "./tree.ts";

type Workflow = Readonly<Record<string, unknown>> & {
  readonly on?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
};
type Job = Readonly<Record<string, unknown>> & { readonly if?: string; readonly environment?: unknown };

/** The only condition that keeps a job out of pull requests; anything else counts as open to them. */
const PUSH_ONLY = "github.event_name == 'push'";
/** Triggers that run with the repository's secrets although a stranger can start them. */
const PRIVILEGED_TRIGGERS = ["pull_request_target", "workflow_run", "issue_comment", "issues"];

/** Every action is pinned by its full commit, and a comment names the release: a tag can be moved, a commit cannot. */
export function workflowsPinActions(tree: Tree): string[] {
  return workflowFiles(tree).flatMap(([path, text]) =>
    usesIn(text)
      .filter(({ value, comment }) => !isPinned(value, comment))
      .map(({ value }) => `${path} uses ${value}, which no commit and no "# v…" pins`),
  );
}

/** No pull request reaches a secret, and each secret belongs to an environment, whose rules a pull request cannot change. */
export function workflowsKeepSecretsFromPullRequests(tree: Tree): string[] {
  return workflowFiles(tree).flatMap(([path, text]) => {
    const { jobs = {}, on, ...rest } = parseDocument(text).toJS() as Workflow;
    const triggers = triggersOf(on);
    const byPullRequest = triggers.includes("pull_request");
    return [
      ...triggers.filter((name) => PRIVILEGED_TRIGGERS.includes(name)).map((name) => `${path} runs on ${name}`),
      ...(readsSecrets(rest) ? [`${path} gives a secret to every job`] : []),
      ...Object.entries(jobs).flatMap(([name, job]) =>
        jobProblems(job, byPullRequest).map((problem) => `${path}: job "${name}" ${problem}`),
      ),
    ];
  });
}

function jobProblems(job: Job, byPullRequest: boolean): string[] {
  const isOpen = byPullRequest && job.if?.trim() !== PUSH_ONLY;
  return [
    ...(isOpen && readsSecrets(job) ? ["reads secrets in pull requests"] : []),
    ...(isOpen && job.environment !== undefined ? ["enters an environment in pull requests"] : []),
    ...(readsSecrets(job) && job.environment === undefined ? ["reads secrets of the repository"] : []),
  ];
}

/** Finds `secrets.NAME`, `secrets['NAME']`, `toJSON(secrets)` and `secrets: inherit`, also in a condition. */
function readsSecrets(part: Readonly<Record<string, unknown>>): boolean {
  return "secrets" in part || /\bsecrets\s*[.[)]/.test(JSON.stringify(part));
}

function workflowFiles(tree: Tree): [path: string, text: string][] {
  return [...tree].filter(([path]) => WORKFLOW.test(path));
}

function triggersOf(on: unknown): string[] {
  if (typeof on === "string") return [on];
  return Array.isArray(on) ? on.map(String) : Object.keys(on ?? {});
}

/** The value of each `uses`, of steps and of whole jobs, with the comment behind it. */
function usesIn(text: string): { value: string; comment: string }[] {
  const found: { value: string; comment: string }[] = [];
  visit(parseDocument(text), {
    Map(_, node) {
      for (const item of isMap(node) ? node.items : []) {
        if (!isPair(item) || !isScalar(item.key) || item.key.value !== "uses" || !isScalar(item.value)) continue;
        found.push({ value: String(item.value.value), comment: item.value.comment ?? "" });
      }
    },
  });
  return found;
}

/** An action of this repository is as pinned as the repository itself. */
function isPinned(value: string, comment: string): boolean {
  return value.startsWith("./") || (/^[\w./-]+@[0-9a-f]{40}$/.test(value) && /^ v\d+(\.\d+){2}$/.test(comment));
}
