/** What must hold after every run. Each check has a name, looks only at what was seen from outside, and answers what breaks it. */
import { answersChecks } from "./oracle/answers.ts";
import { deliveryChecks } from "./oracle/delivery.ts";
import { makeEvidence, type Check, type Violation } from "./oracle/evidence.ts";
import { ledgerChecks } from "./oracle/ledger.ts";
import type { Finish } from "./run.ts";

export const CHECKS: Readonly<Record<string, Check>> = { ...deliveryChecks, ...ledgerChecks, ...answersChecks };

export function judge(finish: Finish): readonly Violation[] {
  const evidence = makeEvidence(finish);
  return Object.entries(CHECKS).flatMap(([check, find]) => find(evidence).map((detail) => ({ check, detail })));
}
