/** What `doctor` checks: variables, the named project, if any, and the services. */
import { resolve } from "node:path";
import type { Route } from "../init/routes.ts";
import type { InitPlan } from "../init/plan.ts";
import type { ZuploProject } from "../init/project.ts";
import type { Inspection } from "../policy/evaluation.ts";
import type { Io } from "../run/io.ts";
import { LOCK_FILE } from "../schemas/lock.ts";
import { type CheckResult, skipped } from "./check.ts";

export interface InspectedProject {
  readonly project: ZuploProject;
  readonly plan: InitPlan;
  readonly inspection: Inspection;
  readonly routes: readonly Route[];
}

export interface Setting {
  /** The process's variables, which override those of the secrets file. */
  readonly io: Io;
  readonly project?: InspectedProject;
  readonly lockFile: string;
  readonly plan: QstashPlan;
  readonly sendEvent: boolean;
}

/**
 * Limits of QStash's plans. https://upstash.com/pricing/qstash; the caps on retries come from older pages, so a larger number is
 * only a warning.
 */
export const QSTASH_PLANS = {
  free: { messageBytes: 1_000_000, retries: 3, dlqDays: 3 },
  payg: { messageBytes: 10_000_000, retries: 5, dlqDays: 7 },
  fixed: { messageBytes: 50_000_000, retries: 20, dlqDays: 30 },
} as const;
export type QstashPlan = keyof typeof QSTASH_PLANS;

/** A variable, or undefined if it has no value. */
export function variable({ io }: Pick<Setting, "io">, name: string): string | undefined {
  return io.env[name] || undefined;
}

/** The first of these variables that has no value. */
export function firstMissing(setting: Pick<Setting, "io">, names: readonly string[]): string | undefined {
  return names.find((name) => variable(setting, name) === undefined);
}

/** The result of a check that needs a project when none is named. */
export function noProject(): Omit<CheckResult, "check"> {
  return skipped("no Zuplo project was named", 'add its directory after "doctor"');
}

/** The `schemas` command for this project and this lock file. Without a project, it says how to name one. */
export function suggestSchemas({ io, project, lockFile }: Setting, verb: "check" | "push"): string {
  if (!project) return io.suggest("schemasHelp", verb);
  const lock = lockFile === LOCK_FILE ? undefined : resolve(lockFile);
  return io.suggest("schemas", verb, project.project.directory, lock);
}
