/** Pauses and resumes delivery at its source: the flow-control keys. https://upstash.com/docs/qstash/features/flowcontrol */
import * as z from "zod/mini";
import type { Settings } from "../variables.ts";
import { qstashRequest, type Fetch } from "./request.ts";

type QstashSettings = Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN">;

const Key = z.looseObject({
  flowControlKey: z.string(),
  waitListSize: z.number(),
  isPaused: z.boolean(),
});

/** One flow-control key as QStash lists it. */
export interface FlowKey {
  readonly name: string;
  /** Messages that wait under it. */
  readonly waiting: number;
  readonly isPaused: boolean;
}

type FlowKeys =
  | { readonly kind: "listed"; readonly keys: readonly FlowKey[] }
  /** QStash did not answer, or refused: `reason` is `network` or the status. */
  | { readonly kind: "unreachable"; readonly reason: string };

/** Returns true if QStash has confirmed it, or does not know the key, which is then not paused. Never throws. */
export async function switchFlow(
  settings: QstashSettings,
  fetcher: Fetch,
  key: string,
  to: "pause" | "resume",
): Promise<boolean> {
  try {
    const path = `/v2/flowControl/${encodeURIComponent(key)}/${to}`;
    const response = await qstashRequest(settings, fetcher, path, { method: "POST" });
    await response.body?.cancel();
    return response.ok || (to === "resume" && response.status === 404);
  } catch {
    return false;
  }
}

/** Lists all keys of the account, foreign ones too. QStash does not list a key that nothing was published with. Never throws. */
export async function listFlowKeys(settings: QstashSettings, fetcher: Fetch): Promise<FlowKeys> {
  try {
    const response = await qstashRequest(settings, fetcher, "/v2/flowControl");
    if (!response.ok) {
      await response.body?.cancel();
      return { kind: "unreachable", reason: `http_${response.status}` };
    }
    const found = z.array(z.unknown()).parse(await response.json());
    const keys = found.flatMap((one) => Key.safeParse(one).data ?? []);
    return {
      kind: "listed",
      keys: keys.map(({ flowControlKey, waitListSize, isPaused }) => ({
        name: flowControlKey,
        waiting: waitListSize,
        isPaused,
      })),
    };
  } catch {
    return { kind: "unreachable", reason: "network" };
  }
}
