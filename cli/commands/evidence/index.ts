/** `evidence`: commands for audits. */
import { group } from "../../run/command.ts";
import { keygen } from "./keygen.ts";
import { pack } from "./pack.ts";
import { pull } from "./pull.ts";

export const evidence = group("evidence", "Download the evidence, and pack it for an auditor", [keygen, pull, pack]);
