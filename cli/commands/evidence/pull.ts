/** `evidence pull <folder>`: downloads the evidence as files. */
import { pull as pullEvidence } from "../../evidence/pull.ts";
import { openEvidence } from "../../evidence/server.ts";
import { command } from "../../run/command.ts";
import { count } from "../../run/text.ts";
import { parseSpan } from "../../run/time.ts";

export const pull = command({
  usage: "pull <folder>",
  about: "Download the checkpoint, the log, the leaves and the time stamps",
  examples: [["evidence pull evidence/", "everything; a second run fetches only what is new"]],
  options: (yargs) =>
    yargs
      .positional("folder", {
        type: "string",
        demandOption: true,
        describe: "Folder for the evidence; created if missing",
      })
      .option("since", { type: "string", describe: "Leaves of digests from: ISO 8601, or an age; default all" })
      .option("until", { type: "string", describe: "Leaves of digests before: ISO 8601, or an age; default all" })
      .option("copies", { type: "boolean", describe: "Also the bodies of the events, if the worker keeps them" }),
  run: async ({ folder, copies, since, until }, io) => {
    const span = parseSpan({ since, until }, Date.now());
    const { digests, fetched, kept } = await pullEvidence(openEvidence(io), folder, { ...span, copies });
    return {
      json: { folder, digests: digests.length, fetched, kept },
      lines: [`${count(digests.length, "digest")} in ${folder}: ${count(fetched, "file")} fetched, ${kept} kept`],
    };
  },
});
