/** `verify`: did every record that the gateway counted arrive? */
import * as z from "zod";
import { openApi } from "../api/client.ts";
import { checkReport } from "../evidence/check.ts";
import { command, type Report } from "../run/command.ts";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";
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
  about:
    "Look for records that never arrived, and check evidence offline; exit 1 where something is missing or changed",
  examples: [
    ["verify --since 7d", "the last week, by sequence number of each gateway isolate"],
    [
      "verify --evidence evidence/ --key audit-evidence.pub --export export.csv",
      "offline, against an export of WorkOS",
    ],
  ],
  options: (yargs) =>
    yargs
      .option("since", { type: "string", describe: "Records from: ISO 8601, or an age; default 24 h before --until" })
      .option("until", { type: "string", describe: "Records before: ISO 8601, or an age; default 5 minutes ago" })
      .option("evidence", { type: "string", describe: "Offline: a folder of evidence pull, or a pack" })
      .option("key", { type: "string", describe: "Offline: the file with the verifier key" })
      .option("export", {
        type: "string",
        array: true,
        nargs: 1,
        describe: "Offline: an export of WorkOS, CSV or JSON lines; may be given again",
      })
      .option("trusted", { type: "string", describe: "Offline: an older checkpoint that you kept" })
      .option("columns", { type: "string", describe: "Offline: a JSON file from names of columns to fields" })
      .option("tsa", { type: "string", describe: "Offline: certificates that you trust for time stamps, as PEM" })
      .option("organization", { type: "string", describe: "Offline: one organization alone" }),
  run: async (args, io) => {
    if (args.evidence !== undefined) return offlineReport(args);
    const lone = OFFLINE.find((name) => args[name] !== undefined);
    if (lone) throw new WrongUse(`"--${lone}" needs "--evidence", a folder of evidence pull or a pack`);
    return gapReport(args, io);
  },
});

const OFFLINE = ["key", "export", "trusted", "columns", "tsa", "organization"] as const;

interface Arguments {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly evidence?: string | undefined;
  readonly key?: string | undefined;
  readonly export?: readonly string[] | undefined;
  readonly trusted?: string | undefined;
  readonly columns?: string | undefined;
  readonly tsa?: string | undefined;
  readonly organization?: string | undefined;
}

async function offlineReport({ evidence, key, export: exports, ...args }: Arguments): Promise<Report> {
  if (evidence === undefined || key === undefined)
    throw new WrongUse('"--evidence" needs "--key", the file with the verifier key');
  const { since, until } = parseSpan(args, Date.now());
  const { trusted, columns, tsa, organization } = args;
  const span = {
    since: since === undefined ? undefined : Date.parse(since),
    until: until === undefined ? undefined : Date.parse(until),
  };
  return checkReport({ evidence, key, exports, trusted, columns, tsa, organization, ...span });
}

async function gapReport(args: Arguments, io: Io): Promise<Report> {
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
}
