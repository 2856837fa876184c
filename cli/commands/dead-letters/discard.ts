/** `dead-letters discard <event-id…> --reason`: gives up on dead letters; each stays as a tombstone. */
import { DeadLetter } from "../../api/answers.ts";
import { openApi } from "../../api/client.ts";
import { command } from "../../run/command.ts";
import { failureOf, WrongUse } from "../../run/failure.ts";
import { count } from "../../run/text.ts";

export const discard = command({
  usage: "discard <event-ids..>",
  about: "Give up on dead letters; each is kept as a tombstone with the reason",
  examples: [['dead-letters discard 019ab0c4-… --reason "test traffic"', "one, for good"]],
  options: (yargs) =>
    yargs
      .positional("event-ids", { type: "string", array: true, demandOption: true })
      .option("reason", { type: "string", demandOption: true, requiresArg: true, describe: "1 to 500 characters" }),
  run: async (args, io) => {
    const reason = args.reason.trim();
    if (reason === "" || reason.length > 500) throw new WrongUse('"--reason" must have 1 to 500 characters');
    const api = openApi(io);
    const discarded: string[] = [];
    const failed: { event_id: string; code: string; message: string }[] = [];
    for (const eventId of new Set(args.eventIds)) {
      try {
        await api.post(DeadLetter, `/api/dead-letters/${encodeURIComponent(eventId)}/discard`, { reason });
        discarded.push(eventId);
      } catch (error) {
        const { code, message } = failureOf(error);
        // A wrong token or an unreachable worker is the same for every id.
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
  },
});
