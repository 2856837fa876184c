/** `dead-letters discard --reason`: gives up on dead letters, by event id or by filter; each stays as a tombstone. */
import { DeadLetter, DiscardCount, Discards } from "../../api/answers.ts";
import { type Api, openApi } from "../../api/client.ts";
import { filterOptions, toFilter, toReplayFilter } from "../../dead-letters/filter.ts";
import { command, type Report } from "../../run/command.ts";
import { confirm } from "../../run/confirmation.ts";
import { failureOf, WrongUse } from "../../run/failure.ts";
import type { Io } from "../../run/io.ts";
import { count } from "../../run/text.ts";

const PATH = "/api/dead-letters/discard";

export const discard = command({
  usage: "discard [event-ids..]",
  about: "Discard dead letters; each stays as a tombstone with the reason",
  examples: [
    ['dead-letters discard 019ab0c4-… --reason "test traffic"', "one, for good"],
    ["dead-letters discard --route /debug --dry-run", "count the matches of a filter"],
    ['dead-letters discard --route /debug --reason "test traffic"', "discard all matches, after you confirm"],
  ],
  options: (yargs) =>
    filterOptions(yargs)
      .positional("event-ids", { type: "string", array: true })
      .option("reason", { type: "string", requiresArg: true, describe: "Why you discard them: 1 to 500 characters" })
      .option("failure", { type: "string", requiresArg: true, describe: "Exact reason of the failure, as a filter" })
      .option("all", { type: "boolean", describe: "Every open dead letter" })
      .option("dry-run", { type: "boolean", describe: "Count what would be discarded and stop" })
      .option("yes", {
        alias: "y",
        type: "boolean",
        describe: "Do not ask for confirmation; required with a filter and no terminal",
      })
      .conflicts("dry-run", "yes"),
  run: async (args, io) => {
    const ids = [...new Set(args.eventIds)];
    const filter = toReplayFilter(toFilter({ ...args, reason: args.failure }, Date.now()));
    const isFiltered = Object.keys(filter).length > 0;
    const given = [ids.length > 0, isFiltered, args.all === true].filter(Boolean).length;
    if (given === 0) throw new WrongUse('name event ids or a filter, or add "--all" to discard every dead letter');
    if (given > 1) throw new WrongUse('event ids, filters and "--all" exclude one another');
    const selection = ids.length > 0 ? { event_ids: ids } : isFiltered ? { filter } : { all: true };
    if (args.dryRun) return counted(openApi(io), selection);
    const reason = args.reason?.trim() ?? "";
    if (reason === "" || reason.length > 500) throw new WrongUse('"--reason" must have 1 to 500 characters');
    if (ids.length > 0) return eachOf(openApi(io), ids, reason, io);
    if (!io.interactive && !args.yes) {
      throw new WrongUse('a discard by filter without a terminal needs "--yes", or "--dry-run" for the count');
    }
    return allOf(openApi(io), selection, { reason, ask: io.interactive && !args.yes }, io);
  },
});

type Selection = Readonly<Record<string, unknown>>;

async function counted(api: Api, selection: Selection): Promise<Report> {
  const { count: matched } = await api.post(DiscardCount, PATH, { ...selection, dry_run: true });
  return { json: { dry_run: true, count: matched }, lines: [`would discard ${count(matched, "dead letter")}`] };
}

/** If matches change between the count and the discard, the worker refuses the request. */
async function allOf(
  api: Api,
  selection: Selection,
  { reason, ask }: { readonly reason: string; readonly ask: boolean },
  io: Io,
): Promise<Report> {
  const { count: matched } = await api.post(DiscardCount, PATH, { ...selection, dry_run: true });
  if (matched === 0) return { json: { discarded: 0, skipped: 0, skip_reasons: {} }, lines: ["nothing to discard"] };
  io.note(`discards ${count(matched, "dead letter")}`);
  if (ask) await confirm("Discard them?");
  const ended = await api.post(Discards, PATH, { ...selection, reason, count: matched });
  const skips = Object.entries(ended.skip_reasons).map(([why, skipped]) => `skipped ${why} ${skipped}`);
  return { json: ended, lines: [`discarded ${count(ended.discarded, "dead letter")}`, ...skips] };
}

async function eachOf(api: Api, ids: readonly string[], reason: string, io: Io): Promise<Report> {
  const discarded: string[] = [];
  const failed: { event_id: string; code: string; message: string }[] = [];
  for (const eventId of ids) {
    try {
      await api.post(DeadLetter, `/api/dead-letters/${encodeURIComponent(eventId)}/discard`, { reason });
      discarded.push(eventId);
    } catch (error) {
      const { code, message } = failureOf(error);
      // A wrong token or an unreachable worker affects every id.
      if (code !== "not_found" && code !== "conflict") throw error;
      io.note(`error[${code}]: ${eventId}: ${message}`);
      failed.push({ event_id: eventId, code, message });
    }
  }
  return {
    json: { discarded, failed },
    lines: [`discarded ${count(discarded.length, "dead letter")}`],
    ok: failed.length === 0,
  };
}
