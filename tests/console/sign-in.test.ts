/** The way in, and what stands around every view. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { type Stage, startStage, TOKENS } from "./support/stage.ts";

let stage: Stage;
let page: Page;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());
beforeEach(async () => {
  page = await stage.open();
  await page.goto(`${stage.path.url}/console`);
});

const signIn = async (token: string) => {
  await page.getByLabel("Access token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
};

it("refuses a wrong token in words and shows nothing", async () => {
  await signIn("wrong-token-000000000000");
  expect(await page.getByRole("alert").innerText()).toContain("is wrong");
  await signIn("");
  await page.getByText("Enter your access token.").waitFor();
  await signIn("no “header” can hold this token");
  await page.getByText("characters").waitFor();
  expect(await page.getByRole("navigation").count()).toBe(0);
});

it("keeps the token in this tab only, and never in an address", async () => {
  await signIn(TOKENS.read);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  expect(page.url()).not.toContain(TOKENS.read);
  await page.reload();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const stored = await page.evaluate(() => [
    localStorage.length,
    document.cookie,
    Object.values(sessionStorage).join(),
  ]);
  expect(stored).toEqual([0, "", TOKENS.read]);
  const other = await page.context().newPage();
  await other.goto(`${stage.path.url}/console/`);
  await other.getByLabel("Access token").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Access token").waitFor();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});

it("shows environment, delivery and person in the header of every view", async () => {
  await signIn(TOKENS.operate);
  const header = page.getByRole("banner");
  await header.getByText("staging").waitFor();
  await header.getByText("ann (operate)").waitFor();
  await expect.poll(() => page.getByRole("status").innerText()).toBe("Delivering");
  expect(await page.title()).toBe("Overview · Audit forwarder");
  expect(await page.getByRole("link", { name: "Overview", exact: true }).getAttribute("aria-current")).toBe("page");
});

it("says when the session has ended, and goes on where it was", async () => {
  await page.goto(`${stage.path.url}/console/?range=7d`);
  await signIn(TOKENS.admin);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.route("**/api/**", (route) => route.fulfill({ status: 401, json: { code: "unauthorized", detail: "x" } }));
  await page.getByRole("link", { name: "30 d" }).click();
  await page.getByText("Your session has ended").waitFor();
  await page.unroute("**/api/**");
  await signIn(TOKENS.admin);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  expect(page.url()).toContain("range=30d");
});

it("asks no other origin and breaks no rule of its policy", () => {
  expect(stage.strangers).toEqual([]);
  expect(stage.errors).toEqual([]);
});
