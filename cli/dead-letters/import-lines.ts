/** Splits an export into requests that the worker accepts. Refuses lines with hidden values. */
import { WrongUse } from "../run/failure.ts";

export interface Line {
  /** Counted from 1 in the file. */
  readonly number: number;
  readonly text: string;
}

/** Limits of `POST /api/dead-letters/import`: docs/api.md. The byte limit leaves a margin below its 5 MB. */
const LINES_MAX = 1000;
const BYTES_MAX = 4_500_000;

/** Skips empty lines. Throws `WrongUse` naming the line if one is not a JSON object or hides values. */
export async function* chunks(lines: AsyncIterable<string>): AsyncGenerator<readonly Line[]> {
  let chunk: Line[] = [];
  let bytes = 0;
  let number = 0;
  for await (const text of lines) {
    number++;
    if (text.trim() === "") continue;
    refuse(number, text);
    const size = Buffer.byteLength(text) + 1;
    if (chunk.length === LINES_MAX || (chunk.length > 0 && bytes + size > BYTES_MAX)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push({ number, text });
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

function refuse(number: number, text: string): void {
  const entry = parse(text);
  if (typeof entry !== "object" || entry === null) throw new WrongUse(`line ${number} is not a JSON object`);
  const hidden = "hidden" in entry && Array.isArray(entry.hidden) && entry.hidden.length > 0;
  if (hidden) throw new WrongUse(`line ${number} hides values; export again with "--reveal"`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
