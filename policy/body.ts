/** Reads the bodies that a route selects from: JSON and forms only, up to a limit, never a stream of another kind. */

const READABLE =
  /^(?:application\/(?:[\w.+-]+\+)?json|application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i;

/**
 * Copies the body of a request or response as far as `limitBytes` and parses it. Undefined where there is none, where it is of
 * another type, already read, longer, or broken. It must be called before the body is sent or read; it never throws.
 */
export function readBody(message: Request | Response, limitBytes: number): Promise<unknown> | undefined {
  const type = message.headers.get("content-type") ?? "";
  const length = message.headers.get("content-length");
  const readable = READABLE.test(type) && !message.bodyUsed && message.body !== null && !message.body.locked;
  if (!readable || Number(length ?? 0) > limitBytes || message.headers.has("content-encoding")) return undefined;
  try {
    const copy = message.clone().body;
    return copy ? parse(copy, type, limitBytes).catch(() => undefined) : undefined;
  } catch {
    return undefined;
  }
}

async function parse(stream: ReadableStream<Uint8Array>, type: string, limitBytes: number): Promise<unknown> {
  const bytes = await readUpTo(stream, limitBytes);
  if (!bytes) return undefined;
  if (/json/i.test(type)) return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
  // Files are left out: a selector takes a scalar.
  return Object.fromEntries([...form].filter(([, value]) => typeof value === "string"));
}

/** The bytes of a stream; undefined as soon as there are more than `limitBytes`. */
async function readUpTo(
  stream: ReadableStream<Uint8Array>,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > limitBytes) {
      // Not awaited: one branch of a copied stream is cancelled only when the other has ended too.
      reader.cancel().catch(() => undefined);
      return undefined;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
