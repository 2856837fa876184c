/** The `replays` commands: show and control replays that run in the worker. `dead-letters replay` starts one. */
import { Replay, ReplayPage } from "../api/answers.ts";
import { openApi } from "../api/client.ts";
import { command, group, type Report } from "../run/command.ts";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";
import { pairLines, tableLines } from "../run/text.ts";

/** Most replays that `GET /api/replays` returns; see docs/api.md. */
const LIMIT_MAX = 100;

const list = command({
  usage: "list",
  about: "Show replays, newest first",
  options: (yargs) =>
    yargs
      .option("limit", { type: "number", describe: `Replays per page, 1 to ${LIMIT_MAX}; default 20` })
      .option("cursor", { type: "string", describe: "The cursor of the next page, from the previous page" }),
  run: async ({ limit, cursor }, io) => {
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX)) {
      throw new WrongUse(`"--limit" must be a whole number from 1 to ${LIMIT_MAX}`);
    }
    const json = await openApi(io).get(ReplayPage, "/api/replays", { limit, cursor });
    if (json.replays.length === 0) return { json, lines: ["no replays"] };
    const rows = json.replays.map(({ id, state, created_at, by, name, progress }) => [
      id,
      state,
      created_at,
      by,
      progress.total,
      progress.delivered,
      progress.failed_again,
      progress.skipped,
      name,
    ]);
    if (json.cursor !== undefined) io.note(`more: add --cursor ${json.cursor}`);
    const heading = ["replay", "state", "created at", "by", "total", "delivered", "failed again", "skipped", "name"];
    return { json, lines: tableLines(io, heading, rows) };
  },
});

const show = command({
  usage: "show <replay-id>",
  about: "Show one replay: its progress, who controlled it, what it skipped",
  options: (yargs) => yargs.positional("replay-id", { type: "string", demandOption: true }),
  run: async ({ replayId }, io) => report(io, await openApi(io).get(Replay, pathOf(replayId))),
});

const pause = control("pause", "Stop publishing; QStash still delivers what it already has");
const resume = control("resume", "Continue a paused or stopped replay, without waiting for its end");
const cancel = control("cancel", "End a replay for good; unpublished records become open dead letters again");

export const replays = group("replays", "See and control the replays of dead letters", [
  list,
  show,
  pause,
  resume,
  cancel,
]);

function control(verb: "pause" | "resume" | "cancel", about: string) {
  return command({
    usage: `${verb} <replay-id>`,
    about,
    options: (yargs) => yargs.positional("replay-id", { type: "string", demandOption: true }),
    run: async ({ replayId }, io) => report(io, await openApi(io).post(Replay, `${pathOf(replayId)}/${verb}`)),
  });
}

function pathOf(replayId: string): string {
  if (replayId === "") throw new WrongUse('"replay-id" must not be empty');
  return `/api/replays/${encodeURIComponent(replayId)}`;
}

function report(io: Io, replay: Replay): Report {
  const { id, state, progress, receipt, controls = [] } = replay;
  const isWaiting = state === "paused" || state === "stopped";
  const history = controls.map(({ at, control: verb, by }) => [at, verb, by]);
  const skips = Object.entries(receipt?.skip_reasons ?? {});
  return {
    json: replay,
    lines: [
      ...pairLines([
        ["replay", id],
        ["name", replay.name],
        ["state", state],
        ["problem", replay.problem],
        ["by", replay.by],
        ["planned by", replay.planned_by],
        ["created at", replay.created_at],
        ["finished at", replay.finished_at],
        ["records a second", replay.rate],
        ["total", progress.total],
        ["published", progress.published],
        ["delivered", progress.delivered],
        ["failed again", progress.failed_again],
        ["skipped", progress.skipped],
      ]),
      ...(skips.length > 0
        ? [
            "",
            ...tableLines(
              io,
              ["skipped", "why"],
              skips.map(([why, n]) => [n, why]),
            ),
          ]
        : []),
      ...(history.length > 0 ? ["", ...tableLines(io, ["at", "control", "by"], history)] : []),
      ...(isWaiting ? ["", `continue with: ${io.suggest("replayResume", id)}`] : []),
    ],
  };
}
