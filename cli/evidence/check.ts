/** The offline check, shared with the stand-alone verifier. */
import { textOf, verifyEvidence, type VerifyOptions } from "../../verifier/verify.mjs";
import type { Report } from "../run/command.ts";

/** Checks evidence and reports it. Throws `Unusable` as the verifier does. */
export async function checkReport(options: VerifyOptions): Promise<Report> {
  const result = await verifyEvidence(options);
  return { json: result, lines: textOf(result).split("\n"), ok: result.ok };
}
