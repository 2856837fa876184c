/** `dead-letters replay`: shows a plan, asks for confirmation, then sends dead letters again at a bounded rate. */
import { readFile } from "node:fs/promises";
import { type Plan, Planned, Replay } from "../../api/answers.ts";
import { type Api, openApi } from "../../api/client.ts";
import { filterOptions } from "../../dead-letters/filter.ts";
import { follow, type Followed } from "../../replay/polling.ts";
import { pairsOfCounts, planLines } from "../../replay/plan-lines.ts";
import { progressView } from "../../replay/progress.ts";
import { type ReplayBody, replayBody } from "../../replay/request.ts";
import { command, type Report } from "../../run/command.ts";
import { confirm } from "../../run/confirmation.ts";
import { WrongUse } from "../../run/failure.ts";
import type { Io } from "../../run/io.ts";
import { writePrivateFile } from "../../run/private-file.ts";
import type { Suggest } from "../../run/suggestion.ts";
import { count } from "../../run/text.ts";

export const replay = command({
  usage: "replay [event-ids..]",
  about: "Send dead letters again: shows a plan first, then sends only undelivered records",
  examples: [
    ["dead-letters replay --class exhausted --since 12h --dry-run", "the plan only"],
    ['dead-letters replay --all --yes --name "outage of 23 Nov"', "everything, without confirmation"],
    ["dead-letters replay 019ab0c4-… --set action=user.created", "one record, mended"],
    ["dead-letters replay --resume rp_…", "continue one that was interrupted"],
  ],
  options: (yargs) =>
    filterOptions(yargs)
      .positional("event-ids", { type: "string", array: true })
      .option("all", { type: "boolean", describe: "Every open dead letter" })
      .option("resume", { type: "string", requiresArg: true, describe: "Continue this replay, or follow its progress" })
      .option("dry-run", { type: "boolean", describe: "Show the plan and stop" })
      .option("yes", {
        alias: "y",
        type: "boolean",
        describe: "Do not ask for confirmation; required without a terminal",
      })
      .option("rate", { type: "number", describe: "Records a second, 0.1 to 500; default 40" })
      .option("name", { type: "string", describe: "A name for the incident, stored in the receipt" })
      .option("stop-on-error-rate", { type: "number", describe: "Stop when this share of records fails again, 0 to 1" })
      .option("accept-duplicates", { type: "boolean", describe: "Also send records that WorkOS may already hold" })
      .option("set", { type: "string", array: true, nargs: 1, describe: "Mend: action=… or organization=…" })
      .option("drop", { type: "string", array: true, nargs: 1, describe: "Mend: leave out metadata.<key>" })
      .option("map", {
        type: "string",
        requiresArg: true,
        describe: "Mend: a JSON file that maps old values to new ones",
      })
      .option("receipt", { type: "string", requiresArg: true, describe: "Write the receipt to this file" })
      .conflicts("resume", ["all", "dry-run", "rate", "name", "set", "drop", "map", "accept-duplicates"])
      .conflicts("resume", ["stop-on-error-rate", "class", "action", "organization", "route", "reason", "status"])
      .conflicts("resume", ["since", "until"])
      .conflicts("dry-run", ["yes", "receipt"]),
  run: async (args, io) => {
    if (args.resume !== undefined) {
      if (args.eventIds?.length) throw new WrongUse('"--resume" takes the id of a replay and no event ids');
      return resume(openApi(io), args.resume, args.receipt, io);
    }
    if (!io.interactive && !args.yes && !args.dryRun) {
      throw new WrongUse('a replay without a terminal needs "--yes", or "--dry-run" for the plan');
    }
    const body = replayBody(args, await readMap(args.map), Date.now());
    const api = openApi(io);
    const { plan } = await api.post(Planned, "/api/replays", { ...body, dry_run: true });
    const lines = planLines(plan, io);
    if (args.dryRun) return { json: { dry_run: true, plan }, lines };
    if (plan.send === 0) return nothing(plan, lines);
    // A worker from before plan ids accepts only the whole request again.
    const confirmed = plan.id === undefined ? body : { plan: plan.id };
    return start(api, confirmed, lines, { ask: io.interactive && !args.yes, receipt: args.receipt }, io);
  },
});

/** A replay with nothing to send succeeds, unless one of the ids is unknown. */
function nothing(plan: Plan, lines: readonly string[]): Report {
  const ok = (plan.skip_reasons["not_found"] ?? 0) === 0;
  return { json: { plan, replay: null }, lines: [...lines, "nothing to send"], ok };
}

async function start(
  api: Api,
  body: ReplayBody | { readonly plan: string },
  lines: readonly string[],
  { ask, receipt }: { readonly ask: boolean; readonly receipt: string | undefined },
  io: Io,
): Promise<Report> {
  for (const line of lines) io.note(line);
  if (ask) await confirm("Send them?");
  const { id, plan } = await api.post(Planned, "/api/replays", body);
  if (id === null) return nothing(plan, []);
  io.note(`replay ${id}`);
  return ending(await following(api, id, io), receipt, { plan }, io);
}

async function resume(api: Api, id: string, receipt: string | undefined, io: Io): Promise<Report> {
  const path = `/api/replays/${encodeURIComponent(id)}`;
  const { state } = await api.get(Replay, path);
  if (state === "paused" || state === "stopped") await api.post(Replay, `${path}/resume`);
  return ending(await following(api, id, io), receipt, {}, io);
}

async function following(api: Api, id: string, io: Io): Promise<Followed> {
  const interrupt = new AbortController();
  // A second Ctrl-C ends the process at once, because the handler runs only once.
  const onSignal = () => interrupt.abort();
  process.once("SIGINT", onSignal);
  try {
    return await follow(api, id, progressView(io), interrupt.signal);
  } finally {
    process.off("SIGINT", onSignal);
  }
}

async function ending(
  { how, replay }: Followed,
  receiptFile: string | undefined,
  extra: object,
  { suggest }: Io,
): Promise<Report> {
  const { id, state, receipt } = replay;
  if (receiptFile !== undefined && receipt)
    await writePrivateFile(receiptFile, `${JSON.stringify(receipt, null, 2)}\n`);
  const json = { ...extra, replay };
  if (state !== "done" || !receipt) return { json, lines: unfinished(how, replay, suggest), ok: false };
  const lines = [`replay ${id} is done`, ...pairsOfCounts(receipt.counts)];
  const saved = receiptFile === undefined ? [] : [`receipt in ${receiptFile}`];
  return { json, lines: [...lines, ...saved], ok: receipt.counts.failed_again === 0 };
}

function unfinished(how: Followed["how"], { id, state, progress }: Replay, suggest: Suggest): readonly string[] {
  const again = `continue with: ${suggest("replayResume", id)}`;
  if (state === "stopped") {
    return [`stopped: ${count(progress.failed_again, "record")} failed again, more than --stop-on-error-rate`, again];
  }
  if (how === "interrupted" && state !== "paused") {
    return [
      "interrupted; the queue has every record already and the replay ends by itself",
      again.replace("continue", "follow it"),
    ];
  }
  return [`${state} after ${progress.published} of ${progress.total}`, again];
}

async function readMap(file: string | undefined): Promise<unknown> {
  if (file === undefined) return undefined;
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch (error) {
    const reason = error instanceof SyntaxError ? "is not valid JSON" : "cannot be read";
    throw new WrongUse(`the file of "--map" ${reason}`);
  }
}
