/** The body of the worker's answer while delivery is paused. QStash returns it when it gives the message up. */
import * as z from "zod/mini";
import { parseJson } from "../json.ts";
import type { Pause } from "./pause.ts";

const PausedAnswer = z.object({ code: z.literal("paused"), by: z.enum(["breaker", "credential", "operator"]) });

/** Returns who had paused delivery; undefined for any other answer. */
export function pausedBy(answer: string): Pause["by"] | undefined {
  return PausedAnswer.safeParse(parseJson(answer)).data?.by;
}
