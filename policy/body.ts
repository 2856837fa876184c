/** Reads the bodies that a route selects from: JSON and forms only, up to a limit, never a stream of another kind. */
import { parseJson } from "./json.ts";

const READABLE = /^[^;]*[/+](json|x-www-form-urlencoded|form-data)\b/i;

/**
 * Copies the body of a request or response as far as `limitBytes` and parses it. Undefined where there is none, where it is of
 * another type, already read, longer, or broken. It must be called before the body is sent or read; it never throws.
 */
export function readBody(message: Request | Response, limitBytes: number): Promise<unknown> | undefined {
  const type = message.headers.get("content-type") ?? "";
  const length = message.headers.get("content-length");
  const readable = READABLE.test(type) && !message.bodyUsed && message.body?.locked === false;
  if (!readable || Number(length) > limitBytes || message.headers.has("content-encoding")) return undefined;
  try {
    const { body } = message.clone();
    return body ? parse(body, type, limitBytes).catch(() => undefined) : undefined;
  } catch {
    return undefined;
  }
}

async function parse(stream: ReadableStream<Uint8Array>, type: string, limitBytes: number): Promise<unknown> {
  const parts = await readUpTo(stream, limitBytes);
  if (!parts) return undefined;
  const copy = new Blob(parts);
  if (/^[^;]*[/+]json/i.test(type)) return parseJson(await copy.text());
  // Files stay where they are: a selector takes a scalar.
  return Object.fromEntries(await new Response(copy, { headers: { "content-type": type } }).formData());
}

/** The parts of a stream; undefined as soon as they are more than `limitBytes`. */
async function readUpTo(
  stream: ReadableStream<Uint8Array>,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
  const reader = stream.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parts;
    length += value.byteLength;
    if (length > limitBytes) {
      // Not awaited: one branch of a copied stream is cancelled only when the other has ended too.
      reader.cancel().catch(() => undefined);
      return undefined;
    }
    parts.push(value as Uint8Array<ArrayBuffer>);
  }
}
