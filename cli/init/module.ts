/** The policy's module in a project: what is ours may be replaced, what is the user's may not. */
import { AuditError } from "../../shared/errors.ts";
import { MODULE_PATH, type ProjectFile } from "./project.ts";

/** Stands at the top of the built module, so that a file of the user's own is never taken for it. */
const MARK = "audit-forwarder";

/** True for a module that `init` wrote, of any version. */
export function isOurModule({ text }: ProjectFile): boolean {
  return text !== undefined && text.slice(0, 400).includes(MARK);
}

/** Throws `conflict` where a file in our module's place was not made by us. */
export function refuseForeignModule(module: ProjectFile, entryIsOurs: boolean): void {
  if (module.text === undefined || entryIsOurs || isOurModule(module)) return;
  throw new AuditError("conflict", `"${MODULE_PATH}" was not made by audit-forwarder; move it away first`);
}
