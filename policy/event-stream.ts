/** Follows an event stream for its JSON messages, in parallel with the client that receives it. */
import { type BodyReader, type BodySettings, copyResponse, isEventStream, once, unread } from "./body.ts";
import { parseJson } from "./json.ts";
import type { Ports } from "./ports.ts";
import { isAnswered } from "./presets/mcp.ts";
import type { PresetName } from "./presets/preset.ts";

/** Longest time for which a stream is followed. Cloudflare ends all work 30 s after a response (see docs/architecture.md). */
const FOLLOW_MS = 25_000;

/** Copies a response, also an event stream if the route has the preset `mcp`; undefined where there is no body. */
export function copyAnswer(
  response: Response,
  preset: PresetName | undefined,
  request: BodyReader | undefined,
  settings: BodySettings & { readonly ports: Pick<Ports, "timer"> },
): BodyReader | undefined {
  return preset === "mcp" && isEventStream(response.headers)
    ? copyAnswers(response, request, settings.limitBytes, settings.ports)
    : copyResponse(response, settings);
}

/**
 * Copies the response to JSON-RPC requests. The reader follows it until each request has its answer; the value is the list of
 * messages. Like any other copy, read it once the response is being sent.
 */
function copyAnswers(
  response: Response,
  request: BodyReader | undefined,
  limitBytes: number,
  ports: Pick<Ports, "timer">,
): BodyReader {
  let asked: unknown;
  void request?.().then(({ value }) => (asked = value));
  const isEnough = (messages: readonly unknown[]) => asked !== undefined && isAnswered(asked, messages);
  try {
    const { body } = response.clone();
    if (body) return once(() => messagesIn(body, limitBytes, isEnough, ports).then((value) => ({ value })));
  } catch {
    // Another policy has already read it.
  }
  return unread;
}

/** An end of line. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
const LINE_END = /\r\n|\n|\r/;

/**
 * Reads a copy of a stream until `isEnough`, its end, `limitBytes` or 25 s. Returns the messages received by then and ignores data
 * that is not JSON. Never rejects.
 */
export async function messagesIn(
  stream: ReadableStream<Uint8Array>,
  limitBytes: number,
  isEnough: (messages: readonly unknown[]) => boolean,
  ports: Pick<Ports, "timer">,
): Promise<readonly unknown[]> {
  const reader = stream.getReader();
  // Not awaited: one branch of a cloned stream is cancelled only when the other has ended too.
  const stop = () => void reader.cancel().catch(() => undefined);
  const cancelTimer = ports.timer(FOLLOW_MS, stop);
  const decoder = new TextDecoder();
  const messages: unknown[] = [];
  const event = makeEvent(messages);
  try {
    for (let bytes = 0; bytes <= limitBytes && !isEnough(messages);) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      event.add(decoder.decode(value, { stream: true }));
    }
  } catch {
    // The stream was interrupted. What has arrived counts.
  }
  cancelTimer();
  stop();
  return messages;
}

/** Collects lines into events. It searches only new text, so that many small parts cost no more than one large part. */
function makeEvent(messages: unknown[]) {
  let line = "";
  let data: string[] = [];
  let isAfterReturn = false;

  function endLine(): void {
    if (line.startsWith("data:")) data.push(line.slice(5));
    if (line === "" && data.length > 0) {
      const message = parseJson(data.join("\n"));
      if (message !== undefined) messages.push(...[message].flat());
      data = [];
    }
  }

  return {
    add(text: string): void {
      // CR LF ends one line, even if CR and LF arrive in two parts.
      const fresh = isAfterReturn && text.startsWith("\n") ? text.slice(1) : text;
      if (text !== "") isAfterReturn = text.endsWith("\r");
      const [first = "", ...more] = fresh.split(LINE_END);
      line += first;
      for (const next of more) {
        endLine();
        line = next;
      }
    },
  };
}
