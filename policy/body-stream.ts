/** Reads body streams part by part, or whole up to a limit. */

/** Reads a whole stream of at most `limitBytes`. Cancels a longer one and returns undefined. Rejects if the stream fails. */
export async function copyOf(
  stream: ReadableStream<Uint8Array>,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const part of partsOf(stream)) {
    bytes += part.byteLength;
    if (bytes > limitBytes) return undefined;
    parts.push(part as Uint8Array<ArrayBuffer>);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Yields the parts of a stream as they arrive. Stopping early cancels the stream. */
async function* partsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Not awaited: one branch of a cloned stream is cancelled only when the other has ended too.
    reader.cancel().catch(() => undefined);
  }
}
