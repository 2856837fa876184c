/** The changes of an upgrade to this version, in a safe order. Pure. */
import { AuditError } from "../../shared/errors.ts";
import { versionOrder } from "../run/version-order.ts";

/** The current versions; an unknown part is absent. */
interface Present {
  /** The version of this command, which is the target of the upgrade. */
  readonly own: string;
  readonly worker?: string | undefined;
  readonly policy?: string | undefined;
  /** The team's wrangler.toml, and this version's template. */
  readonly wranglerToml?: string | undefined;
  readonly template: string;
}

export interface UpgradeChange {
  readonly part: "wrangler.toml" | "worker" | "policy" | "schemas";
  readonly from?: string;
  readonly to: string;
}

/**
 * Lists the changes: configuration, worker, policy, schemas. The worker comes before the policy, because it reads messages of an
 * older policy, but not of a newer one.
 *
 * Throws `conflict` if the worker or the policy is newer and its release may have changed what is stored. Only a patch release
 * never does, so 0.2.3 may go back to 0.2.1, but not to 0.1.0.
 */
export function upgradePlan({ own, worker, policy, wranglerToml, template }: Present): readonly UpgradeChange[] {
  refuseDowngrade("worker", worker, own);
  refuseDowngrade("policy", policy, own);
  const missing = wranglerToml === undefined ? [] : missingParts(wranglerToml, template);
  const isOlder = (version: string | undefined) => version !== undefined && versionOrder(version, own) !== 0;
  return [
    ...missing.map((part): UpgradeChange => ({ part: "wrangler.toml", to: part })),
    ...(isOlder(worker) ? [{ part: "worker", from: worker ?? "", to: own } as const] : []),
    ...(isOlder(policy) ? [{ part: "policy", from: policy ?? "", to: own } as const] : []),
    ...(isOlder(policy) ? [{ part: "schemas", to: "the actions of the new policy" } as const] : []),
  ];
}

function refuseDowngrade(part: string, version: string | undefined, own: string): void {
  if (version === undefined || versionOrder(minorOf(version), minorOf(own)) <= 0) return;
  throw new AuditError(
    "conflict",
    `the ${part} is ${version}, and this command is ${own}: a downgrade past a release that may have changed stored data is refused; use version ${version} or newer`,
  );
}

function minorOf(version: string): string {
  return version.split(".", 2).join(".");
}

/** Migrations and bindings of the template that the team's file lacks, as lines to add. */
function missingParts(toml: string, template: string): readonly string[] {
  const present = partsOf(toml);
  return [...partsOf(template)].filter((line) => !present.has(line));
}

/** The tag of each migration and the name of each binding. An environment writes a binding as `{ name = "LEDGER", … }`. */
function partsOf(toml: string): ReadonlySet<string> {
  return new Set([...toml.matchAll(/^tag = "[^"]+"$|\bname = "[A-Z_]+"/gm)].map(([line]) => line));
}
