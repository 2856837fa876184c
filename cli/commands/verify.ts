/** `verify`: did every record that the gateway counted arrive? */
import * as z from "zod";
import { openApi } from "../api/client.ts";
import { command } from "../run/command.ts";
import { count, tableLines } from "../run/text.ts";
import { parseSpan } from "../run/time.ts";

const Verification = z.looseObject({
  since: z.string(),
  until: z.string(),
  /** Present where a part of the period cannot be checked any more. */
  forgotten_until: z.optional(z.string()),
  isolates: z.number(),
  seen: z.number(),
  missing: z.number(),
  gaps: z.array(
    z.looseObject({
      isolate_id: z.string(),
      first: z.number(),
      last: z.number(),
      seen: z.number(),
      missing: z.array(z.looseObject({ from: z.number(), to: z.number() })),
    }),
  ),
});

export const verify = command({
  usage: "verify",
  about: "Look for gaps in what the gateway sent; exit 1 where records are missing",
  examples: [["verify --since 7d", "the last week, by sequence number of each gateway isolate"]],
  options: (yargs) =>
    yargs
      .option("since", { type: "string", describe: "Records from: ISO 8601, or an age; default 24 h before --until" })
      .option("until", { type: "string", describe: "Records before: ISO 8601, or an age; default 5 minutes ago" }),
  run: async (args, io) => {
    const found = await openApi(io).get(Verification, "/api/verify", parseSpan(args, Date.now()));
    const rows = found.gaps.map(({ isolate_id, first, last, seen, missing }) => [
      isolate_id,
      `${first}-${last}`,
      seen,
      missing.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(", "),
    ]);
    const summary = `${count(found.seen, "record")} of ${count(found.isolates, "isolate")} seen, ${found.missing} missing`;
    const hint = "missing records are lost with their isolate, or still wait (see /health and the queue)";
    const { forgotten_until: forgotten } = found;
    const unchecked = `nothing before ${forgotten} was checked: the ledger was nearly full and forgot delivered records early`;
    return {
      json: found,
      lines: [
        ...(forgotten === undefined ? [] : [unchecked]),
        ...(rows.length > 0 ? [...tableLines(io, ["isolate", "range", "seen", "missing"], rows), hint] : []),
        `${summary}, from ${found.since} to ${found.until}`,
      ],
      ok: found.missing === 0,
    };
  },
});
