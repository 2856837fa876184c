/** `incidents`: shows what is wrong now, and what was wrong in the last 30 days. */
import { Incidents } from "../api/answers.ts";
import { openApi } from "../api/client.ts";
import { command } from "../run/command.ts";
import { tableLines } from "../run/text.ts";

export const incidents = command({
  usage: "incidents",
  about: "Show open incidents, those of the last 30 days, and what operators did about them",
  examples: [["incidents --json", "includes every operator action"]],
  run: async (_args, io) => {
    const json = await openApi(io).get(Incidents, "/api/incidents");
    if (json.incidents.length === 0) return { json, lines: ["no incidents in the last 30 days"] };
    const rows = json.incidents.map(({ kind, since, until, actions, detail }) => {
      const operators = [...new Set(actions.map(({ by }) => by))].join(", ");
      return [kind, since, until ?? "open", operators || undefined, detail];
    });
    return { json, lines: tableLines(io, ["incident", "since", "until", "operators", "detail"], rows) };
  },
});
