/** Flow-control keys at QStash under which messages for this worker wait, other than the configured one. */
import * as z from "zod";
import { QSTASH_LABEL } from "../../shared/qstash-headers.ts";
import type { JsonAnswer } from "../http/json-answer.ts";

/** Keys of the account that are asked about, and the newest log entries of each. Our choice. */
const ASKED_MAX = 20;
const LOOKED_AT = 20;

const Keys = z.array(z.looseObject({ flowControlKey: z.string(), waitListSize: z.number().default(0) }));
const Log = z.looseObject({ events: z.array(z.looseObject({ url: z.string().optional() })) });

interface OtherKey {
  readonly name: string;
  readonly waiting: number;
}

/**
 * The other keys of ours: an account may hold those of somebody else, so each is ours only if QStash's log has a message with our label
 * for the worker under it. `ask` is a GET at QStash.
 */
export async function otherOwnKeys(
  configured: string,
  workerUrl: string,
  ask: (path: string) => Promise<JsonAnswer>,
): Promise<readonly OtherKey[]> {
  const listed = Keys.safeParse((await ask("/v2/flowControl")).json).data ?? [];
  const others = listed.filter(({ flowControlKey, waitListSize }) => flowControlKey !== configured && waitListSize > 0);
  const asked = await Promise.all(
    others.slice(0, ASKED_MAX).map(async ({ flowControlKey: name, waitListSize: waiting }) => {
      const query = new URLSearchParams({ label: QSTASH_LABEL, count: String(LOOKED_AT), flowControlKey: name });
      const { events } = Log.safeParse((await ask(`/v2/events?${query.toString()}`)).json).data ?? { events: [] };
      return events.some(({ url }) => isFor(workerUrl, url)) ? [{ name, waiting }] : [];
    }),
  );
  return asked.flat();
}

/** Compared by the parser, so that capital letters and a default port of the host make no difference. */
function isFor(workerUrl: string, url = ""): boolean {
  const wanted = `${workerUrl.replace(/\/+$/, "")}/deliver`;
  return URL.canParse(url) && URL.canParse(wanted) && new URL(url).href === new URL(wanted).href;
}
