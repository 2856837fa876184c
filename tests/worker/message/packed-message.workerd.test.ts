/** What the gateway's runtime deflates, this worker's runtime reads: both are workerd. */
import { describe, expect, it } from "vitest";
import { webPorts } from "../../../policy/ports.ts";
import { packMessage } from "../../../shared/packed.ts";
import { encodeMessage } from "../../../shared/wire.ts";
import { decodeMessage } from "../../../worker/message/decoded-message.ts";
import { recordsOf } from "../support/records.ts";

const { deflate } = webPorts();
const decode = (body: string) => decodeMessage(new TextEncoder().encode(body));

describe("in workerd", () => {
  it.each([2, 20, 100])("a message of %i records is packed to less and read as it was", async (count) => {
    const records = recordsOf(count, { actor: { id: "user_1", type: "user", name: "Деплой 🚀" } });
    const message = encodeMessage(records);
    const body = await packMessage(message, deflate!);
    expect(body.length).toBeLessThan(JSON.stringify(message).length);
    expect(decode(body)).toEqual({ kind: "message", records, unreadable: [] });
  });

  it("a bomb, a cut and other bytes are refused, and nothing throws", async () => {
    const bomb = await packMessage({ v: 1, g: ["x".repeat(20_000_000)], records: [] }, deflate!);
    const good = await packMessage(encodeMessage(recordsOf(2)), deflate!);
    const cut = good.replace(/.{8}"}$/, '"}');
    const reason = '"d" is not deflated JSON, or is too large';
    for (const body of [bomb, cut, good.replace(/"d":"/, "$&AAAA")]) {
      expect(decode(body)).toEqual({ kind: "unreadable", reason });
    }
  });

  it("secrets do not stand in `process.env`", () => {
    const { process } = globalThis as unknown as { process: { env: Record<string, string> } };
    expect(process.env["WORKOS_API_KEY"]).toBeUndefined();
  });
});
