/** A Durable Object that starts again on another database, as after a deployment. */
import { runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { restore } from "./database.ts";

/** Replaces the object's database with a dump, and starts the object again. */
export async function restartOn(object: unknown, text: string): Promise<void> {
  const stub = object as DurableObjectStub;
  await runInDurableObject(stub, async (_: unknown, { storage }: DurableObjectState) => {
    restore(storage.sql, text);
    await storage.deleteAlarm();
  });
  const stopped = runInDurableObject(stub, (_: unknown, state: DurableObjectState) => state.abort("restart"));
  await expect(stopped).rejects.toThrow("restart");
}
