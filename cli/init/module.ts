/** The policy's module in a project: `init` replaces only what it wrote itself. Pure. */
import { AuditError } from "../../shared/errors.ts";
import { MODULE_PATH, type ProjectFile } from "./project.ts";

/** The module that this version builds. */
export interface BuiltModule {
  readonly text: string;
  /** Fingerprint of the project's module; absent if there is none, or if it is not TypeScript. */
  readonly present?: string | undefined;
}

/**
 * `current`: the same code as this version, in any formatting. `older`: made by `init` of another version. `edited`: made by `init`
 * and changed since. `foreign`: made by somebody else.
 */
export type ModuleState = "absent" | "current" | "older" | "edited" | "foreign";

/** In the first lines of every module written by `init`. */
const MARK = "Made by `audit-forwarder init`";
const MARK_WITHIN_CHARS = 1000;
const FINGERPRINT = /fingerprint: sha256:([0-9a-f]{64})/;

/** True for a module written by `init`, of any version, edited or not. */
export function isOurModule({ text }: ProjectFile): boolean {
  return text?.slice(0, MARK_WITHIN_CHARS).includes(MARK) ?? false;
}

/** Compares a project's module with this version's by fingerprint, which ignores comments and formatting. */
export function moduleState(module: ProjectFile, { text, present }: BuiltModule): ModuleState {
  if (module.text === undefined) return "absent";
  if (!isOurModule(module)) return "foreign";
  if (present !== undefined && present === FINGERPRINT.exec(text)?.[1]) return "current";
  const named = FINGERPRINT.exec(module.text)?.[1];
  return named === undefined || named === present ? "older" : "edited";
}

/** Throws `conflict` if the module is foreign. */
export function refuseForeign(state: ModuleState): void {
  if (state !== "foreign") return;
  throw new AuditError(
    "conflict",
    `"${MODULE_PATH}" was not made by "init"; rename it with its entry in policies.json, or add "--force", which keeps a copy`,
  );
}
