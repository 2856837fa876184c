/** The `schemas` commands. */
import { group } from "../../run/command.ts";
import { check } from "./check.ts";
import { push } from "./push.ts";

export const schemas = group("schemas", "Keep the actions of a project registered in WorkOS", [check, push]);
