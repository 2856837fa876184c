/** Streams of bodies: read part by part, or copied whole up to a limit. */

/** A body's bytes in parts; undefined where it is longer than the limit. */
export type BodyCopy = readonly Uint8Array[] | undefined;

/** Reads a stream of at most `limitBytes`; a longer one is cancelled. Rejects where the stream fails. */
export async function copyOf(stream: ReadableStream<Uint8Array>, limitBytes: number): Promise<BodyCopy> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of partsOf(stream)) {
    bytes += part.byteLength;
    if (bytes > limitBytes) return undefined;
    parts.push(part);
  }
  return parts;
}

/** The parts of a stream as they arrive. If you stop early, the stream is cancelled. */
export async function* partsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
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

/** The parts as one array. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
