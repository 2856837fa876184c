/** The evidence that the worker has sealed, as the console shows it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { recordsOf } from "../worker/support/records.ts";
import { type Stage, startStage } from "./support/stage.ts";

const QUARTER_MS = 15 * 60_000;

let stage: Stage;
beforeAll(async () => {
  const AUDIT_EVIDENCE_KEY = `evk_${Buffer.alloc(32, 7).toString("base64url")}`;
  stage = await startStage({ AUDIT_EVIDENCE_KEY }, { hasEvidence: true });
});
afterAll(() => stage.stop());

it("is waited for, and then shows the checkpoint and the newest digests", async () => {
  const page = await stage.openAt("/evidence", "read");
  await page.getByText("Nothing is sealed yet.").waitFor();
  for (const record of recordsOf(3)) await stage.path.publish([record]);
  await stage.path.queue.idle();
  await stage.path.scheduled(Date.now() + 2 * QUARTER_MS);
  await page.reload();
  await page.getByRole("region", { name: "Last checkpoint" }).waitFor();
  const checkpoint = await stage.path.text("/evidence/checkpoint");
  const [origin = "", size = "", root = ""] = checkpoint.split("\n");
  const text = await page.getByRole("main").innerText();
  for (const part of [origin, root]) expect(text).toContain(part);
  const rows = page.getByRole("region", { name: "Newest digests" }).locator("tbody tr");
  expect(await rows.count()).toBe(Number(size));
  const events = await rows.evaluateAll((all) => all.map((row) => Number(row.querySelectorAll("td")[3]?.textContent)));
  expect(events.reduce((sum, number) => sum + number, 0)).toBe(3);
  expect(text).toContain("no number of a gateway isolate is missing");
});
