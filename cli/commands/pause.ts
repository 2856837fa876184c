/** `pause` and `resume`: the operator's switch for delivery. While paused, records wait in the queue and use no attempts. */
import * as z from "zod";
import { openApi } from "../api/client.ts";
import { command } from "../run/command.ts";
import { visible } from "../run/text.ts";

// A worker from before operators had names omits `operator`.
const Paused = z.looseObject({
  pause: z.looseObject({ confirmed_by_queue: z.boolean(), operator: z.string().optional() }),
});
const Resumed = z.looseObject({ paused: z.literal(false), operator: z.string().optional() });

export const pause = command({
  usage: "pause",
  about: "Stop delivery to WorkOS; records wait in the queue and use no attempts",
  run: async (_args, io) => {
    const json = await openApi(io).post(Paused, "/api/pause");
    const unconfirmed = "QStash has not confirmed it yet; until then the worker turns its deliveries away";
    const { confirmed_by_queue: isConfirmed, operator } = json.pause;
    return {
      json,
      lines: [
        operator === undefined ? "delivery is paused" : `delivery is paused by ${visible(operator)}`,
        ...(isConfirmed ? [] : [unconfirmed]),
        `continue with: ${io.suggest("resume")}`,
      ],
    };
  },
});

export const resume = command({
  usage: "resume",
  about: "Continue delivery to WorkOS after a pause",
  run: async (_args, io) => {
    const json = await openApi(io).post(Resumed, "/api/resume");
    return { json, lines: ["delivery goes on"] };
  },
});
