/** QStash flow-control keys, other than the configured one, under which messages for this worker wait. */
import * as z from "zod";
import { baseUrl } from "../../shared/base-url.ts";
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
 * a URL of the worker, current or former, under it. `ask` is a GET at QStash.
 */
export async function otherOwnKeys(
  configured: string,
  workerUrls: readonly string[],
  ask: (path: string) => Promise<JsonAnswer>,
): Promise<readonly OtherKey[]> {
  const listed = Keys.safeParse((await ask("/v2/flowControl")).json).data ?? [];
  const others = listed.filter(({ flowControlKey, waitListSize }) => flowControlKey !== configured && waitListSize > 0);
  const asked = await Promise.all(
    others.slice(0, ASKED_MAX).map(async ({ flowControlKey: name, waitListSize: waiting }) => {
      const query = new URLSearchParams({ label: QSTASH_LABEL, count: String(LOOKED_AT), flowControlKey: name });
      const { events } = Log.safeParse((await ask(`/v2/events?${query.toString()}`)).json).data ?? { events: [] };
      return events.some(({ url }) => isFor(workerUrls, url)) ? [{ name, waiting }] : [];
    }),
  );
  return asked.flat();
}

/** Compared in their one spelling, so that capital letters and a default port in the host make no difference. */
function isFor(workerUrls: readonly string[], url = ""): boolean {
  const given = baseUrl(url);
  return given !== undefined && workerUrls.some((base) => `${baseUrl(base)}/deliver` === given);
}
