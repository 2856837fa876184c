/** `evidence keygen`: makes the key that signs the evidence, and the verifier key for auditors. Makes no request. */
import { isOrigin } from "../../../shared/evidence/note.ts";
import { newEvidenceKey, originOf, verifierKeyOf } from "../../evidence/key.ts";
import { command } from "../../run/command.ts";
import { WrongUse } from "../../run/failure.ts";

export const keygen = command({
  usage: "keygen",
  about: "Make a key for AUDIT_EVIDENCE_KEY and the verifier key for auditors",
  examples: [
    ["evidence keygen", "for the worker of AUDIT_WORKER_URL"],
    ["evidence keygen --origin audit.example.com/evidence", "for a log with a name of its own"],
  ],
  options: (yargs) =>
    yargs.option("origin", {
      type: "string",
      requiresArg: true,
      describe: "Name of the log; default AUDIT_EVIDENCE_ORIGIN, or the host of AUDIT_WORKER_URL and /evidence",
    }),
  run: async (args, io) => {
    const origin = args.origin ?? (io.env["AUDIT_EVIDENCE_ORIGIN"] || defaultOrigin(io.env["AUDIT_WORKER_URL"]));
    if (!isOrigin(origin)) throw new WrongUse('"--origin" must have no spaces and no plus signs');
    const key = newEvidenceKey();
    const verifier = verifierKeyOf(key, origin);
    io.note("The key is shown only once. Store it like your other secrets; the verifier key is public.");
    return {
      json: { key, origin, verifier_key: verifier },
      lines: [`key: ${key}`, `verifier key: ${verifier}`],
    };
  },
});

function defaultOrigin(workerUrl: string | undefined): string {
  if (workerUrl !== undefined && URL.canParse(workerUrl)) return originOf(workerUrl);
  throw new WrongUse('set "AUDIT_WORKER_URL", or name the log with "--origin"');
}
