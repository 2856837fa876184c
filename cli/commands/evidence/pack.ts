/** `evidence pack`: one file for an auditor. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { textOf } from "../../../verifier/verify.mjs";
import { openApi } from "../../api/client.ts";
import { KEY_OPTION, requireKeyFile } from "../../evidence/key-file.ts";
import { deadLetterLines, operatorLines } from "../../evidence/operators.ts";
import { writePack } from "../../evidence/pack.ts";
import { openEvidence } from "../../evidence/server.ts";
import { COVERAGE_FILE, findCoverage } from "../../operations/file.ts";
import { command } from "../../run/command.ts";
import { WrongUse } from "../../run/failure.ts";
import { builtFile, IS_PACKAGE, ROOT } from "../../run/installation.ts";
import { parseSpan } from "../../run/time.ts";
import { openWorkos } from "../../workos/client.ts";

export const pack = command({
  usage: "pack",
  about: "Write an auditor's pack: evidence, export, report and verifier of one organization",
  examples: [
    [
      "evidence pack --organization org_01… --since 2026-10-01 --until 2026-11-01 --out october.zip",
      "a second run makes the same bytes",
    ],
  ],
  options: (yargs) =>
    yargs
      .option("organization", { type: "string", demandOption: true, describe: "The organization's id in WorkOS" })
      .option("since", { type: "string", demandOption: true, describe: "Events from: ISO 8601, or an age" })
      .option("until", { type: "string", demandOption: true, describe: "Events before: ISO 8601, or an age" })
      .option("out", { type: "string", demandOption: true, describe: "The zip" })
      .option("key", KEY_OPTION)
      .option("coverage", { type: "string", describe: `The file from coverage --update; default ${COVERAGE_FILE}` }),
  run: async ({ organization, out, ...args }, io) => {
    const { since, until } = parseSpan(args, Date.now());
    if (since === undefined || until === undefined) throw new WrongUse('"--since" and "--until" must be times');
    const key = args.key ?? requireKeyFile(args.secretsFile);
    const scope = { organization, since, until };
    const api = openApi(io);
    const ports = {
      file: openEvidence(io),
      workos: openWorkos(io),
      deadLetters: () => deadLetterLines(api, scope),
      operators: () => operatorLines(api, scope),
      verifier: await readFile(IS_PACKAGE ? builtFile("verify.mjs") : join(ROOT, "verifier/verify.mjs"), "utf8"),
    };
    const result = await writePack(ports, { ...scope, key, coverage: findCoverage(args.coverage, io), out });
    return { json: { file: out, ...result }, lines: [textOf(result), `wrote ${out}`], ok: result.ok };
  },
});
