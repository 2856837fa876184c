/** A list of 1,500 dead letters: it stays usable, and keeps its place. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { importCopies, refusedRecords } from "./support/letters.ts";
import { type Stage, startStage } from "./support/stage.ts";

const COUNT = 1_500;

let stage: Stage;
let page: Page;
beforeAll(async () => {
  stage = await startStage();
  const [eventId = ""] = await refusedRecords(stage, [{ action: "member.invited" }]);
  await importCopies(stage, eventId, COUNT - 1);
});
afterAll(() => stage.stop());

it("loads more on demand, and leads back to the same row from a record", async () => {
  page = await stage.openAt("/dead-letters", "operate", { viewport: { width: 1280, height: 800 } });
  await page.getByText("100 of 1500 shown").waitFor();
  await page.getByRole("button", { name: "Load more" }).click();
  await page.getByText("200 of 1500 shown").waitFor();
  const link = page.getByRole("row").nth(180).getByRole("link");
  await link.scrollIntoViewIfNeeded();
  const before = await page.evaluate(() => scrollY);
  expect(before).toBeGreaterThan(5_000);
  await link.click();
  await page.getByRole("heading", { name: "Record", exact: true }).waitFor();
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(0);
  await page.goBack();
  await page.getByText("200 of 1500 shown").waitFor();
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(before);
});

it("keeps its rows, its filter and its place after an action", async () => {
  const row = page.getByRole("row").nth(150);
  await row.getByRole("checkbox").check();
  const before = await page.evaluate(() => scrollY);
  await page.getByRole("button", { name: "Discard" }).evaluate((button: HTMLButtonElement) => button.click());
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("made by a test");
  await dialog.getByRole("button", { name: "Discard" }).click();
  await page.getByText("200 of 1499 shown").waitFor();
  await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  expect(await page.evaluate(() => scrollY)).toBe(before);
});

it("plans a replay of a page, and of all that match", async () => {
  await page.evaluate(() => scrollTo(0, 0));
  await page.getByRole("button", { name: "Select the 200 shown" }).click();
  await page.getByText("200 selected").waitFor();
  await page.getByRole("button", { name: "Plan replay" }).click();
  await page.getByRole("button", { name: "Send 200" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Select all 1,499 that match" }).click();
  await page.getByText("All 1,499 selected").waitFor();
  await page.getByRole("button", { name: "Plan replay" }).click();
  await page.getByRole("button", { name: "Send 1499" }).waitFor();
  expect(await page.getByRole("dialog").innerText()).toContain("Sends 1,499");
  await page.keyboard.press("Escape");
});

it("keeps the filters in the address, and Back takes the last one away", async () => {
  await page.getByRole("button", { name: "Clear the selection" }).click();
  await page.getByLabel("Class").selectOption("rejected");
  await page.waitForURL("**/dead-letters?class=rejected");
  await page.getByLabel("Group by").selectOption("action");
  await page.waitForURL("**/dead-letters?class=rejected&group_by=action");
  await page.getByText("1,499 in 1 group").waitFor();
  await page.getByRole("link", { name: "member.invited" }).click();
  await page.waitForURL("**/dead-letters?class=rejected&action=member.invited");
  await page.goBack();
  await page.getByText("1,499 in 1 group").waitFor();
  await page.goBack();
  await page.goBack();
  await page.getByText("of 1499 shown").waitFor();
  expect(new URL(page.url()).search).toBe("");
  expect(stage.errors).toEqual([]);
});
