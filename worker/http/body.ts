/** Reads a body up to a limit, so that a large one is never held or parsed. */

/** Returns the whole body; undefined beyond `maxBytes`, even if `content-length` claims less. */
export async function readBounded(message: Request | Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const length = message.headers.get("content-length");
  if (length !== null && Number(length) > maxBytes) {
    await message.body?.cancel();
    return undefined;
  }
  if (length === null) return message.body ? readStream(message.body, maxBytes) : new Uint8Array();
  const bytes = new Uint8Array(await message.arrayBuffer());
  return bytes.byteLength > maxBytes ? undefined : bytes;
}

async function readStream(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.byteLength;
    if (total > maxBytes) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
