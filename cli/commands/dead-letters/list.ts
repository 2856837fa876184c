/** `dead-letters list`: one page of dead letters, or counts of them. */
import { DeadLetterPage, Groups } from "../../api/answers.ts";
import { openApi } from "../../api/client.ts";
import { PAGE_MAX } from "../../../shared/api.ts";
import { DEAD_LETTER_GROUPS, DEAD_LETTER_STATES } from "../../../shared/dead-letter.ts";
import { filterOptions, toFilter } from "../../dead-letters/filter.ts";
import { command, type Report } from "../../run/command.ts";
import { WrongUse } from "../../run/failure.ts";
import type { Io } from "../../run/io.ts";
import { tableLines } from "../../run/text.ts";

export const list = command({
  usage: "list",
  about: "Show dead letters, newest first",
  examples: [
    ["dead-letters list --group-by reason", "what failed, and how often"],
    ["dead-letters list --class rejected --since 2h", "the newest rejected ones"],
  ],
  options: (yargs) =>
    filterOptions(yargs)
      .option("state", { array: true, choices: DEAD_LETTER_STATES, nargs: 1, describe: "Default open and replaying" })
      .option("limit", { type: "number", describe: "Entries per page, 1 to 500; default 50" })
      .option("cursor", { type: "string", describe: "The cursor of the next page, from the previous page" })
      .option("group-by", { choices: DEAD_LETTER_GROUPS, describe: "Counts instead of entries" })
      .conflicts("group-by", ["limit", "cursor"]),
  run: async (args, io) => {
    const { limit } = args;
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= PAGE_MAX)) {
      throw new WrongUse(`"--limit" must be a whole number from 1 to ${PAGE_MAX}`);
    }
    const query = { ...toFilter(args, Date.now()), state: args.state?.join(",") };
    if (args.groupBy !== undefined) return groups(io, { ...query, group_by: args.groupBy });
    return page(io, { ...query, limit, cursor: args.cursor });
  },
});

async function page(io: Io, query: Readonly<Record<string, string | number | undefined>>): Promise<Report> {
  const answer = await openApi(io).get(DeadLetterPage, "/api/dead-letters", query);
  if (answer.dead_letters.length === 0) return { json: answer, lines: ["no dead letters"] };
  const heading = ["event id", "parked at", "class", "state", "status", "action", "organization", "reason"];
  const rows = answer.dead_letters.map((letter) => [
    letter.event_id,
    letter.parked_at,
    letter.class,
    letter.state,
    letter.status,
    letter.action,
    letter.organization,
    letter.reason,
  ]);
  if (answer.cursor !== undefined) io.note(`more: add --cursor ${answer.cursor}`);
  return { json: answer, lines: tableLines(io, heading, rows) };
}

async function groups(io: Io, query: Readonly<Record<string, string | undefined>>): Promise<Report> {
  const answer = await openApi(io).get(Groups, "/api/dead-letters", query);
  if (answer.groups.length === 0) return { json: answer, lines: ["no dead letters"] };
  const rows = answer.groups.map((group) => [
    group.count,
    group.value ?? "(none)",
    group.oldest_parked_at,
    group.newest_parked_at,
  ]);
  const heading = ["count", answer.group_by, "oldest", "newest"];
  return { json: answer, lines: [...tableLines(io, heading, rows), `total ${answer.total}`] };
}
