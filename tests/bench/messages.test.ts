import { Receiver } from "@upstash/qstash";
import { describe, expect, it } from "vitest";
import type { SdkMessage } from "../../bench/worker/handlers/sdk.ts";
import { makeBodies, NEXT_SIGNING_KEY, signedMessage, SIGNING_KEY } from "../../bench/worker/messages.ts";
import type { EventBody } from "../../shared/event.ts";

const URL = "http://127.0.0.1:9";

describe("messages", () => {
  it("hold the wanted number of records, each with an event id of its own", async () => {
    const bodies = await makeBodies(5, 20);
    const ids = bodies.flatMap((body) =>
      (JSON.parse(body) as { records: { id: string }[] }).records.map(({ id }) => id),
    );
    expect(bodies).toHaveLength(5);
    expect(new Set(ids).size).toBe(100);
  });

  it("say the same in the form of each handler", async () => {
    const [body = ""] = await makeBodies(1, 1);
    const read = async <T>(form: "event" | "sdk") =>
      JSON.parse((await signedMessage(body, form, URL, Date.now())).body.toString()) as T;
    const event = await read<EventBody>("event");
    const { events } = await read<SdkMessage>("sdk");
    expect(events).toHaveLength(1);
    expect(events[0]?.organization).toBe(event.organization_id);
    expect(events[0]?.event["action"]).toBe(event.event.action);
    expect(events[0]?.event.occurredAt).toBe(event.event.occurred_at);
    expect(events[0]?.id).toBe(event.event.metadata["event_id"]);
  });

  it("carry a signature that the official receiver takes for their URL only", async () => {
    const [body = ""] = await makeBodies(1, 1);
    const message = await signedMessage(body, "ours", URL, Date.now());
    const receiver = new Receiver({ currentSigningKey: SIGNING_KEY, nextSigningKey: NEXT_SIGNING_KEY });
    const signature = message.headers["upstash-signature"] ?? "";
    const verify = (url: string) => receiver.verify({ signature, body: message.body.toString(), url });
    expect(await verify(`${URL}/deliver`)).toBe(true);
    await expect(verify(`${URL}/other`)).rejects.toThrow(/./);
  });
});
