/** Reads a body no further than a limit, so that nothing large is ever parsed. */

/** The whole body, or undefined where it is longer than `maxBytes` (a length header that lies is noticed too). */
export async function readBounded(message: Request | Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const length = message.headers.get("content-length");
  if (length !== null && Number(length) > maxBytes) {
    await message.body?.cancel();
    return undefined;
  }
  if (length !== null) {
    const bytes = new Uint8Array(await message.arrayBuffer());
    return bytes.byteLength > maxBytes ? undefined : bytes;
  }
  return message.body ? await readStream(message.body, maxBytes) : new Uint8Array();
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
