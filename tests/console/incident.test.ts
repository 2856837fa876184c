/** The whole way of somebody with a pager: from the incident over plan, mending and confirmation to the receipt. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { violations } from "./support/axe.ts";
import { refusedRecords } from "./support/letters.ts";
import { type Stage, startStage, TOKENS } from "./support/stage.ts";
import { until } from "../worker/support/local-path.ts";
import { recordOf } from "../worker/support/records.ts";

let stage: Stage;
let ids: readonly string[];
beforeAll(async () => {
  stage = await startStage();
  ids = await refusedRecords(stage, [{ action: "member.invite" }, { action: "member.invite" }, { action: "key.made" }]);
});
afterAll(() => stage.stop());

const tabTo = async (page: Page, name: string | RegExp) => {
  for (let presses = 0; presses < 200; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
    });
    if (typeof name === "string" ? focused === name : name.test(focused)) return;
  }
  throw new Error(`the keyboard does not reach "${name}"`);
};

it("leads from the incident to the receipt, and sends exactly what the plan said, once", async () => {
  const page = await stage.openAt("/", "operate");
  const incidents = page.getByRole("region", { name: "Incidents" });
  await incidents.getByRole("heading", { name: "WorkOS rejected events for good" }).waitFor();
  expect(await page.getByRole("banner").innerText()).toContain("1 open incident");
  await incidents.getByRole("link", { name: "See what failed" }).click();
  await page.waitForURL("**/console/dead-letters?class=rejected**");

  await page.getByLabel("Action", { exact: true }).fill("member.invite");
  await page.keyboard.press("Enter");
  await page.getByText("All 2 that match").waitFor();
  expect(new URL(page.url()).searchParams.get("action")).toBe("member.invite");

  await page.getByRole("button", { name: "Plan replay" }).click();
  const dialog = page.getByRole("dialog", { name: "Plan of a replay" });
  await dialog.getByText("Sends 2").waitFor();
  await dialog.getByText("Change before sending").click();
  await dialog.getByLabel("Set the action").fill("member.invited");
  expect(await dialog.getByRole("button", { name: "Send 2" }).isDisabled()).toBe(true);
  await dialog.getByRole("button", { name: "Update the plan" }).click();
  await dialog.getByText("Changes 2").waitFor();
  expect(stage.path.workos.events()).toHaveLength(0);

  // What comes after the plan is not sent with it.
  const [late] = await refusedRecords(stage, [{ action: "member.invite" }]);
  const starts: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/api/replays")) starts.push(request.url());
  });
  const send = dialog.getByRole("button", { name: "Send 2" });
  await send.evaluate((button: HTMLButtonElement) => {
    button.click();
    button.click();
  });
  await page.getByText("The replay is done.").waitFor();
  expect(page.url()).toMatch(/\/console\/replays\/rp_/);
  await page.getByText("2 delivered, 0 failed again, 0 skipped of 2").waitFor();
  expect(starts).toHaveLength(1);
  expect(stage.path.workos.events().map(({ event }) => event.action)).toEqual(["member.invited", "member.invited"]);
  expect((await stage.path.get(`/api/dead-letters/${late}`)).json.state).toBe("open");

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download the receipt" }).click(),
  ]);
  const receipt = JSON.parse(await readFile(await download.path(), "utf8"));
  expect(receipt).toMatchObject({ by: "ann", counts: { total: 2, delivered: 2 } });
  const id = page.url().split("/").at(-1);
  expect(receipt).toEqual((await stage.path.get(`/api/replays/${id}`)).json.receipt);

  await page.getByRole("link", { name: ids[0] ?? "", exact: true }).click();
  await page.getByText("WorkOS has accepted the event.").first().waitFor();
  await page.goBack();
  await page.getByText("The replay is done.").waitFor();
});

it("needs no more than a keyboard", async () => {
  await refusedRecords(stage, [{ action: "by.keyboard" }]);
  const page = await stage.open();
  await page.goto(`${stage.path.url}/console/dead-letters?action=by.keyboard`);
  await page.getByLabel("Access token").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type(TOKENS.operate);
  await page.keyboard.press("Enter");
  await page.getByText("All 1 that match").waitFor();
  await tabTo(page, /^Select 01/);
  await page.keyboard.press("Space");
  await page.getByText("1 selected").waitFor();
  for (
    let back = 0;
    back < 20 && !(await page.getByRole("button", { name: "Plan replay" }).evaluate(isFocused));
    back++
  )
    await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Sends 1").waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  expect(await page.getByRole("button", { name: "Plan replay" }).evaluate(isFocused)).toBe(true);
  await page.keyboard.press("Enter");
  await page.getByText("Sends 1").waitFor();
  await tabTo(page, "Send 1");
  await page.keyboard.press("Enter");
  await page.getByText("1 delivered, 0 failed again, 0 skipped of 1").waitFor();
});

const isFocused = (element: Element) => element === document.activeElement;

it("replaces one value by another wherever it stands, by keyboard", async () => {
  const [ada, bob] = [
    { id: "u1", type: "usr" },
    { id: "u2", type: "user" },
  ];
  const ids = await refusedRecords(stage, [
    { action: "file.opend", organization: "org_map", actor: ada },
    { action: "file.opend", organization: "org_map", actor: bob },
    { action: "file.closed", organization: "org_map", actor: bob },
  ]);
  const page = await stage.openAt("/dead-letters?organization=org_map", "operate");
  await page.getByText("All 3 that match").waitFor();
  await page.getByRole("button", { name: "Plan replay" }).click();
  const dialog = page.getByRole("dialog", { name: "Plan of a replay" });
  await dialog.getByText("Sends 3").waitFor();
  await dialog.getByText("Change before sending").click();
  const add = async (keys: readonly string[], from: string, to: string) => {
    await tabTo(page, "Add a replacement");
    await page.keyboard.press("Enter");
    const count = await dialog.getByRole("group", { name: /^Replacement/ }).count();
    const row = dialog.getByRole("group", { name: `Replacement ${count}` });
    await expect.poll(() => row.getByLabel("Field").evaluate(isFocused)).toBe(true);
    for (const key of keys) await page.keyboard.press(key);
    await page.keyboard.press("Tab");
    await page.keyboard.type(from);
    await page.keyboard.press("Tab");
    await page.keyboard.type(to);
  };
  await add([], "file.opend", "file.opened");
  await add([], "file.closed", "");
  await tabTo(page, "Update the plan");
  await page.keyboard.press("Enter");
  await dialog.getByRole("alert").getByText("A replacement needs both the old and the new value.").waitFor();
  await tabTo(page, "Remove replacement 2");
  await page.keyboard.press("Enter");
  await expect.poll(() => dialog.getByRole("button", { name: "Add a replacement" }).evaluate(isFocused)).toBe(true);
  await add(["ArrowDown", "ArrowDown"], "usr", "user");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
  expect(await dialog.getByRole("button", { name: "Send 3" }).isDisabled()).toBe(true);
  await tabTo(page, "Update the plan");
  await page.keyboard.press("Enter");
  await dialog.getByText("Changes 2, leaves 1 as they are").waitFor();
  const changes = await dialog.getByRole("listitem").allInnerTexts();
  expect(new Set(changes.map((text) => text.split(/\n+/).join("; ")))).toEqual(
    new Set([
      `${ids[0]}; action: file.opend → file.opened; actor.type: usr → user`,
      `${ids[1]}; action: file.opend → file.opened`,
    ]),
  );
  await page.setViewportSize({ width: 360, height: 700 });
  expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
  expect(await violations(page)).toEqual([]);

  await tabTo(page, "Send 3");
  await page.keyboard.press("Enter");
  await page.getByText("3 delivered, 0 failed again, 0 skipped of 3").waitFor();
  const sent = stage.path.workos.events().filter(({ organization_id: organization }) => organization === "org_map");
  expect(
    sent.map(({ event }) => `${event.action} by ${event.actor.type}`).toSorted((a, b) => a.localeCompare(b)),
  ).toEqual(["file.closed by user", "file.opened by user", "file.opened by user"]);
});

it("pauses and resumes delivery, and the header says so", async () => {
  const page = await stage.openAt("/", "operate");
  await page.getByRole("button", { name: "Pause delivery" }).click();
  await expect.poll(() => page.getByRole("status").innerText()).toBe("Paused by an operator");
  await page.getByText("Resuming delivers the waiting messages").waitFor();
  await page.getByRole("button", { name: "Resume delivery" }).click();
  await expect.poll(() => page.getByRole("status").innerText()).toMatch(/^Delivering/);
  expect((await stage.path.get("/health")).json.paused).toBe(false);
});

it("says in an outage when the worker tries again, as /health does", async () => {
  stage.path.workos.faults.add({ status: 503 });
  for (let n = 0; n < 5; n++) await stage.path.publish([recordOf()]);
  const paused = await until(
    async () => (await stage.path.get("/health")).json.pause,
    (pause) => pause?.by === "breaker",
  );
  const page = await stage.openAt("/", "read");
  const banner = page.getByRole("region", { name: "Delivery" });
  await banner.getByText("WorkOS is down. Messages wait in QStash.").waitFor();
  const times = await banner.locator("time").evaluateAll((all) => all.map((one) => one.getAttribute("datetime")));
  expect(times[0]).toBe(paused.since);
  expect(await banner.innerText()).toContain("Next probe: ");
  expect(Date.parse(times[1] ?? "")).toBeGreaterThanOrEqual(Date.parse(paused.next_probe_at));
  stage.path.workos.faults.clear();
  await stage.path.post("/api/resume");
});

it("discards with the number and a reason, and the list keeps its place", async () => {
  await refusedRecords(
    stage,
    Array.from({ length: 3 }, () => ({ action: "to.discard" })),
  );
  const page = await stage.openAt("/dead-letters?action=to.discard", "operate");
  await page.getByText("All 3 that match").waitFor();
  await page
    .getByRole("checkbox", { name: /^Select/ })
    .first()
    .check();
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog", { name: "Discard 1 dead letter?" }).getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Clear the selection" }).click();
  await page.getByRole("button", { name: "Discard" }).click();
  const dialog = page.getByRole("dialog", { name: "Discard 3 dead letters?" });
  expect(await dialog.getByRole("button", { name: "Discard" }).isDisabled()).toBe(true);
  await dialog.getByLabel("Reason").fill("made by a test");
  await dialog.getByRole("button", { name: "Discard" }).click();
  await page.getByText("Nothing matches these filters.").waitFor();
  expect(new URL(page.url()).searchParams.get("action")).toBe("to.discard");
  const { json } = await stage.path.get("/api/dead-letters?action=to.discard&state=discarded");
  expect(json.dead_letters.map((letter: { discarded: unknown }) => letter.discarded)).toEqual(
    Array.from({ length: 3 }, () => expect.objectContaining({ by: "ann", reason: "made by a test" })),
  );
});

it("leaves no error and asks no other origin", () => {
  expect(stage.errors).toEqual([]);
  expect(stage.strangers).toEqual([]);
});
