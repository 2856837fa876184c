/** A list that is loaded page by page and keeps its place: Back shows the loaded rows, and a reload loads as many again. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { DeadLetterAnswer } from "../../shared/api.ts";
import { PAGE_MAX } from "../../shared/api.ts";
import type { WholeDeadLetterAnswer } from "../../shared/api.ts";
import type { DeadLetterPage } from "./answers.ts";
import { api, type ApiFailure, failureOf } from "./client.ts";

/** Rows of the first page and of each further one. */
const PAGE = 100;

interface Loaded {
  readonly letters: readonly DeadLetterAnswer[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

export interface Pages {
  /** Undefined until the first page has arrived. */
  readonly letters: readonly DeadLetterAnswer[] | undefined;
  readonly hasMore: boolean;
  readonly failure: ApiFailure | undefined;
  readonly more: () => Promise<void>;
  /** Reloads as many rows as are shown. */
  readonly reload: () => Promise<void>;
}

/** Loaded rows, by filters. */
const known = new Map<string, Loaded>();

/** Clears the loaded rows, because another person may sign in. */
export function forgetPages(): void {
  known.clear();
}

/** The dead letters that match `filters`, a query of `GET /api/dead-letters`. */
export function useDeadLetters(filters: string): Pages {
  const [state, setState] = useState<{ filters?: string; failure?: ApiFailure }>({});
  const wanted = useRef(filters);
  wanted.current = filters;
  const run = useCallback(
    async (load: () => Promise<Loaded>) => {
      const failure = await load().then(
        (loaded) => void known.set(filters, loaded),
        (error: unknown) => failureOf(error),
      );
      if (wanted.current === filters) setState({ filters, ...(failure ? { failure } : {}) });
    },
    [filters],
  );
  const reload = useCallback(
    () => run(() => loadRows(filters, Math.max(PAGE, known.get(filters)?.letters.length ?? 0))),
    [filters, run],
  );
  const more = useCallback(
    () =>
      run(async () => {
        const { letters, cursor } = known.get(filters) ?? { letters: [], cursor: undefined };
        const page = await pageOf(filters, PAGE, cursor);
        return { letters: [...letters, ...page.dead_letters], cursor: page.cursor };
      }),
    [filters, run],
  );
  useEffect(() => void reload(), [reload]);
  const loaded = known.get(filters);
  return {
    letters: loaded?.letters,
    hasMore: loaded?.cursor !== undefined,
    failure: state.filters === filters ? state.failure : undefined,
    more,
    reload,
  };
}

/** Loads at least `rows` rows, if there are that many. */
async function loadRows(filters: string, rows: number): Promise<Loaded> {
  const letters: DeadLetterAnswer[] = [];
  let cursor: string | undefined;
  do {
    const page = await pageOf(filters, Math.min(PAGE_MAX, rows - letters.length), cursor);
    letters.push(...page.dead_letters);
    cursor = page.cursor;
  } while (cursor !== undefined && letters.length < rows);
  return { letters, cursor };
}

function pageOf(filters: string, limit: number, cursor: string | undefined): Promise<DeadLetterPage> {
  const query = new URLSearchParams(filters);
  query.set("limit", String(limit));
  if (cursor !== undefined) query.set("cursor", cursor);
  return api.get<DeadLetterPage>(`/api/dead-letters?${query}`);
}

/** Yields all pages of full dead letters that match. `reveal` includes the hidden values. */
export async function* wholePages(filters: string, reveal: boolean): AsyncGenerator<readonly WholeDeadLetterAnswer[]> {
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams(filters);
    query.set("limit", "100");
    query.set("whole", "true");
    if (reveal) query.set("reveal", "true");
    if (cursor !== undefined) query.set("cursor", cursor);
    const page = await api.get<{ dead_letters: readonly WholeDeadLetterAnswer[]; cursor?: string }>(
      `/api/dead-letters?${query}`,
    );
    yield page.dead_letters;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
