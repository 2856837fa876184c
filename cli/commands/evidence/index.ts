/** `evidence`: what an auditor needs. */
import { group } from "../../run/command.ts";
import { pull } from "./pull.ts";

export const evidence = group("evidence", "Download the evidence", [pull]);
