/** Dead letters as a file: one JSON document a line, which `audit-forwarder dead-letters import` reads. */
import { wholePages } from "../api/pages.ts";
import { api } from "../api/client.ts";
import { saveFile } from "../parts/file.ts";

/** A larger selection is read from the whole list, page by page. */
const SINGLY_MAX = 20;

/** Saves the given dead letters, or all matches. Only an export with `reveal` can be imported again. */
export async function exportLetters(
  filters: URLSearchParams,
  ids: readonly string[] | undefined,
  reveal: boolean,
): Promise<void> {
  const lines: string[] = [];
  const wanted = ids && new Set(ids);
  if (ids && ids.length <= SINGLY_MAX) {
    for (const id of ids)
      lines.push(JSON.stringify(await api.get(`/api/dead-letters/${encodeURIComponent(id)}?reveal=${reveal}`)));
  } else {
    for await (const page of wholePages(filters.toString(), reveal))
      lines.push(
        ...page.filter((letter) => wanted?.has(letter.event_id) ?? true).map((letter) => JSON.stringify(letter)),
      );
  }
  saveFile("dead-letters.jsonl", "application/x-ndjson", lines.map((line) => `${line}\n`).join(""));
}
