/** `pause` and `resume`: the operator's switch for delivery. Records wait in the queue meanwhile; no attempt is spent. */
import * as z from "zod";
import { openApi } from "../api/client.ts";
import { command } from "../run/command.ts";

const Answer = z.looseObject({});

export const pause = command({
  usage: "pause",
  about: "Stop delivery to WorkOS; records wait in the queue and no attempt is spent",
  run: async (_args, io) => ({
    json: await openApi(io).post(Answer, "/api/pause"),
    lines: ["delivery is paused", "continue with: audit-forwarder resume"],
  }),
});

export const resume = command({
  usage: "resume",
  about: "Continue delivery to WorkOS after a pause",
  run: async (_args, io) => ({
    json: await openApi(io).post(Answer, "/api/resume"),
    lines: ["delivery goes on"],
  }),
});
