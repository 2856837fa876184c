import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messagesIn } from "../../policy/event-stream.ts";
import { World } from "./support/world.ts";

/** A stream of the text, in parts of the given sizes, that never ends unless it is told to. */
function streamOf(text: string, sizes: readonly number[] = [text.length], ends = true): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      let at = 0;
      for (const size of [...sizes, bytes.length]) {
        if (at < bytes.length) controller.enqueue(bytes.slice(at, at + size));
        at += size;
      }
      if (ends) controller.close();
    },
  });
}

const never = () => false;
const read = (
  stream: ReadableStream<Uint8Array>,
  limitBytes = 100_000,
  isEnough: (messages: readonly unknown[]) => boolean = never,
) => messagesIn(stream, limitBytes, isEnough, new World().ports);

describe("messagesIn", () => {
  it("reads data, whatever else the stream holds", async () => {
    const text =
      ': hello\r\nevent: message\r\nid: 1\r\nretry: 5\r\ndata: {"id":1}\r\n\r\ndata:{"a":\ndata: "é"}\n\ndata: no json\n\ndata: [1,2]\r\rid: 3\n\n';
    expect(await read(streamOf(text))).toEqual([{ id: 1 }, { a: "é" }, 1, 2]);
  });

  it("leaves out an event that its end cut off", async () => {
    expect(await read(streamOf('data: {"id":1}\n\ndata: {"id":2}\n'))).toEqual([{ id: 1 }]);
  });

  it("reads the same in parts of any size, with any end of line", async () => {
    const lines = ["data: {", 'data: "ü": 1}', "", ":", "data: 2", "", ""];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("\r\n", "\n", "\r"), { minLength: lines.length, maxLength: lines.length }),
        fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 60 }),
        async (ends, sizes) => {
          const text = lines.map((line, i) => line + (ends[i] ?? "")).join("");
          // A return before the newline of an empty line is one end of line, not two.
          fc.pre(text.split(/\r\n|\n|\r/).length === lines.length + 1);
          expect(await read(streamOf(text, sizes))).toEqual([{ ü: 1 }, 2]);
        },
      ),
    );
  });

  it("stops when it has enough, at the limit, and after 25 s", async () => {
    const enough = streamOf("data: 1\n\ndata: 2\n\n", [9, 9], false);
    expect(await read(enough, 100, (messages) => messages.length > 0)).toEqual([1]);
    const long = streamOf(`data: 1\n\n: ${"x".repeat(200)}\n\ndata: 2\n\n`, [9, 100, 100], false);
    expect(await read(long, 100)).toEqual([1]);
    const world = new World();
    const slow = messagesIn(streamOf("data: 1\n\n", [9], false), 100, never, world.ports);
    await world.advance(24_999);
    expect(world.pendingTimers).toBe(1);
    await world.advance(1);
    expect(await slow).toEqual([1]);
  });

  it("keeps what had come when the stream breaks off", async () => {
    const parts = streamOf("data: 1\n\n", [9], false);
    const broken = parts.pipeThrough(
      new TransformStream({
        transform(part: Uint8Array, controller) {
          controller.enqueue(part);
          queueMicrotask(() => queueMicrotask(() => controller.error(new Error("broken"))));
        },
      }),
    );
    expect(await read(broken)).toEqual([1]);
  });
});
