/** QStash flow-control keys, other than the configured one, under which messages for this worker wait. */
import * as z from "zod";
import { QSTASH_LABEL } from "../../shared/qstash-headers.ts";
import type { JsonAnswer } from "../http/json-answer.ts";

/** Most keys of the account that are checked, and log entries read for each. Our choice. */
const ASKED_MAX = 20;
const LOOKED_AT = 20;

const Keys = z.array(z.looseObject({ flowControlKey: z.string(), waitListSize: z.number().default(0) }));
const Log = z.looseObject({ events: z.array(z.looseObject({ url: z.string().optional() })) });

interface OtherKey {
  readonly name: string;
  readonly waiting: number;
}

/**
 * Our other keys. An account may hold foreign keys, so a key counts as ours only if QStash's log has a message with our label for
 * the worker under it. `ask` is a GET at QStash.
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

/** Compared as parsed URLs, so that capital letters and a default port in the host make no difference. */
function isFor(workerUrl: string, url = ""): boolean {
  const wanted = `${workerUrl.replace(/\/+$/, "")}/deliver`;
  return URL.canParse(url) && URL.canParse(wanted) && new URL(url).href === new URL(wanted).href;
}
