/** Follows a replay until it ends. The replay runs in the worker and does not depend on this process. */
import { setTimeout as sleep } from "node:timers/promises";
import { Replay } from "../api/answers.ts";
import type { Api } from "../api/client.ts";
import { failureOf } from "../run/failure.ts";
import type { ProgressView } from "./progress.ts";

/** Time between two requests for the replay's state. Our choice. */
const POLL_MS = 500;

/** `ended`: done or stopped. `interrupted`: the operator pressed Ctrl-C, and the replay pauses if the worker allows it. */
export interface Followed {
  readonly how: "ended" | "interrupted";
  readonly replay: Replay;
}

/** Resolves once the replay is done, stopped or paused, or `interrupt` fires; an interrupted replay is paused. */
export async function follow(api: Api, id: string, view: ProgressView, interrupt: AbortSignal): Promise<Followed> {
  const path = `/api/replays/${encodeURIComponent(id)}`;
  try {
    for (;;) {
      const replay = await api.get(Replay, path);
      view.show(replay);
      if (replay.state !== "running" && replay.state !== "settling") return { how: "ended", replay };
      if (interrupt.aborted) return { how: "interrupted", replay: await pause(api, path, replay) };
      await sleep(POLL_MS, undefined, { signal: interrupt }).catch(() => undefined);
    }
  } finally {
    view.end();
  }
}

/** A replay that has published everything cannot be paused; it ends by itself. */
async function pause(api: Api, path: string, replay: Replay): Promise<Replay> {
  try {
    return await api.post(Replay, `${path}/pause`);
  } catch (error) {
    if (failureOf(error).code !== "conflict") throw error;
    return replay;
  }
}
