/** Reads one request into a `Call`. */
import type { IncomingMessage } from "node:http";
import type { Call } from "./world.ts";

/** Reads the whole body but keeps at most `limitBytes` of it; a larger one is marked `tooLarge`. */
export async function readCall(request: IncomingMessage, limitBytes: number): Promise<Call> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limitBytes) chunks.push(chunk);
  }
  const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  const target = request.url ?? "/";
  const queryAt = target.indexOf("?");
  const key = request.headers["idempotency-key"];
  return {
    method: request.method ?? "GET",
    path: queryAt < 0 ? target : target.slice(0, queryAt),
    query: new URLSearchParams(queryAt < 0 ? "" : target.slice(queryAt)),
    headers: request.headers,
    body,
    json: size > limitBytes ? undefined : parse(body),
    tooLarge: size > limitBytes,
    idempotencyKey: typeof key === "string" && key !== "" ? key : undefined,
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
