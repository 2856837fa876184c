/** `verify`: checks that every record that the gateway counted arrived. */
import * as z from "zod";
import { textOf } from "../../verifier/verify.mjs";
import { type Api, openApi } from "../api/client.ts";
import { checkReport } from "../evidence/check.ts";
import { findKeyFile, KEY_FILE, KEY_OPTION, noKeyFile, requireKeyFile } from "../evidence/key-file.ts";
import { compareOnline, type OnlineComparison } from "../evidence/online.ts";
import { checkRequests } from "../evidence/requests.ts";
import { openEvidence } from "../evidence/server.ts";
import { COVERAGE_FILE, findCoverage } from "../operations/file.ts";
import { command, type Report } from "../run/command.ts";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";
import { count, tableLines } from "../run/text.ts";
import { parseSpan } from "../run/time.ts";
import { openWorkos } from "../workos/client.ts";

const Verification = z.looseObject({
  since: z.string(),
  until: z.string(),
  /** Present if part of the period can no longer be checked. */
  forgotten_until: z.optional(z.string()),
  isolates: z.number(),
  seen: z.number(),
  missing: z.number(),
  /** Records that an operator imported; they fill no gap. A worker from before this count omits it. */
  imported: z.number().default(0),
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
  about: "Look for records that never arrived, and check evidence offline; exit 1 if something is missing or changed",
  examples: [
    ["verify --since 7d", "the last week, by sequence number of each gateway isolate"],
    [`verify --evidence evidence/ --key ${KEY_FILE} --export export.csv`, "offline, against an export of WorkOS"],
  ],
  options: (yargs) =>
    yargs
      .option("since", { type: "string", describe: "Records from: ISO 8601, or an age; default 24 h before --until" })
      .option("until", { type: "string", describe: "Records before: ISO 8601, or an age; default 5 minutes ago" })
      .option("evidence", { type: "string", describe: "Offline: a folder from evidence pull, or a pack" })
      .option("key", KEY_OPTION)
      .option("export", {
        type: "string",
        array: true,
        nargs: 1,
        describe: "Offline: an export of WorkOS, CSV or JSON lines; repeat for several",
      })
      .option("trusted", { type: "string", describe: "Offline: an older checkpoint that you kept" })
      .option("columns", { type: "string", describe: "Offline: a JSON file that maps column names to fields" })
      .option("tsa", { type: "string", describe: "Offline: certificates that you trust for time stamps, as PEM" })
      .option("requests", {
        type: "string",
        describe: "The gateway's list of requests, JSON lines or CSV: finds those without an event",
      })
      .option("coverage", {
        type: "string",
        describe: `With --requests: the file from coverage --update; default ${COVERAGE_FILE}`,
      })
      .option("organization", { type: "string", describe: "Offline: check only this organization" }),
  run: async (args, io) => {
    if (args.requests !== undefined) return requestReport(args, args.requests, io);
    if (args.evidence !== undefined) return offlineReport(args.evidence, args);
    const lone = OFFLINE.find((name) => args[name] !== undefined);
    if (lone) throw new WrongUse(`"--${lone}" needs "--evidence", a folder from evidence pull or a pack`);
    return onlineReport(args, io);
  },
});

const OFFLINE = ["export", "trusted", "columns", "tsa", "organization"] as const;

interface Arguments {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly key?: string | undefined;
  readonly secretsFile?: unknown;
  readonly export?: readonly string[] | undefined;
  readonly trusted?: string | undefined;
  readonly columns?: string | undefined;
  readonly tsa?: string | undefined;
  readonly organization?: string | undefined;
  readonly coverage?: string | undefined;
}

async function offlineReport(evidence: string, { export: exports, ...args }: Arguments): Promise<Report> {
  const key = args.key ?? requireKeyFile(args.secretsFile);
  const { since, until } = parseSpan(args, Date.now());
  const { trusted, columns, tsa, organization } = args;
  const span = {
    since: since === undefined ? undefined : Date.parse(since),
    until: until === undefined ? undefined : Date.parse(until),
  };
  return checkReport({ evidence, key, exports, trusted, columns, tsa, organization, ...span });
}

async function requestReport(args: Arguments, requests: string, io: Io): Promise<Report> {
  const api = openApi(io);
  const found = await checkRequests(api, requests, findCoverage(args.coverage, io), parseSpan(args, Date.now()));
  const missing = found.routes.flatMap(({ request_ids }) => request_ids);
  const rows = found.routes.map(({ method, route, request_ids: ids }) => [
    method,
    route,
    ids.length,
    ids.slice(0, 3).join(", "),
  ]);
  const summary = `${missing.length} of ${count(found.requests, "request")} left no event; ${found.exempt} exempt`;
  return {
    json: { ok: missing.length === 0, ...found, missing },
    lines: [...(rows.length > 0 ? tableLines(io, ["method", "route", "requests", "such as"], rows) : []), summary],
    ok: missing.length === 0,
  };
}

async function onlineReport(args: Arguments, io: Io): Promise<Report> {
  const nowMs = Date.now();
  const api = openApi(io);
  const found = await api.get(Verification, "/api/verify", parseSpan(args, nowMs));
  const compared = await comparison(args, found, { io, api, nowMs });
  const { missing: missingRecords, gaps, ...period } = found;
  const gapLines = gapReportLines(found, io);
  const none = { missing: [], altered: [], unexpected: [] };
  if (typeof compared === "string") {
    return {
      json: {
        ok: missingRecords === 0,
        ...period,
        missing_records: missingRecords,
        gaps,
        ...none,
        not_compared: compared,
      },
      lines: [...gapLines, `not compared with WorkOS: ${compared}`],
      ok: missingRecords === 0,
    };
  }
  const { result, unsealed } = compared;
  const ok = result.ok && missingRecords === 0;
  return {
    json: { ...result, ...period, missing_records: missingRecords, gaps, unsealed: unsealed.length, ok },
    lines: [
      ...gapLines,
      ...textOf(result).split("\n"),
      ...(unsealed.length > 0
        ? [`${count(unsealed.length, "event")} delivered since the last digest, to be sealed in the next one`]
        : []),
    ],
    ok,
  };
}

/** Returns why nothing was compared, for people. */
async function comparison(
  { key: named, secretsFile }: Arguments,
  { since, until }: z.infer<typeof Verification>,
  { io, api, nowMs }: { readonly io: Io; readonly api: Api; readonly nowMs: number },
): Promise<OnlineComparison | string> {
  if (!io.env["WORKOS_API_KEY"]) return '"WORKOS_API_KEY" is not set';
  const file = openEvidence(io);
  if ((await file("checkpoint")) === undefined)
    return "the worker has no evidence; deploy it with --evidence, or wait a quarter of an hour";
  const key = named ?? findKeyFile(secretsFile);
  if (key === undefined) io.note(`the signature is not checked: ${noKeyFile(secretsFile)}; name it with "--key"`);
  return compareOnline({ file, workos: openWorkos(io), api, nowMs }, { since, until }, key);
}

function gapReportLines(found: z.infer<typeof Verification>, io: Io): readonly string[] {
  const rows = found.gaps.map(({ isolate_id, first, last, seen, missing }) => [
    isolate_id,
    `${first}-${last}`,
    seen,
    missing.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(", "),
  ]);
  const summary = `${count(found.seen, "record")} of ${count(found.isolates, "isolate")} seen, ${found.missing} missing`;
  const hint = "missing records were lost with their isolate, or still wait (see /health and the queue)";
  const { forgotten_until: forgotten } = found;
  const unchecked = `nothing before ${forgotten} was checked: the ledger was nearly full and forgot delivered records early`;
  return [
    ...(forgotten === undefined ? [] : [unchecked]),
    ...(rows.length > 0 ? [...tableLines(io, ["isolate", "range", "seen", "missing"], rows), hint] : []),
    ...(found.imported > 0 ? [`${count(found.imported, "record")} imported, counted separately`] : []),
    `${summary}, from ${found.since} to ${found.until}`,
  ];
}
