/** Iterates over every page of dead letters, with full entries. */
import { WholePage, type WholeDeadLetter } from "../api/answers.ts";
import type { Api, Query } from "../api/client.ts";

/** Entries come newest first; one page is in memory at a time. */
export async function* everyDeadLetter(api: Api, query: Query): AsyncGenerator<WholeDeadLetter> {
  let cursor: string | undefined;
  do {
    const page = await api.get(WholePage, "/api/dead-letters", { ...query, whole: true, limit: 100, cursor });
    yield* page.dead_letters;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
