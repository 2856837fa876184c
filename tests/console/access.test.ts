/** The console behind Cloudflare Access: nobody types a token. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { ACCESS_VARIABLES, createTeam, type Gate, startGate } from "./support/access.ts";
import { violations } from "./support/axe.ts";
import { type Stage, startStage, TOKENS } from "./support/stage.ts";

const ADA = "ada@example.com";

let team: Awaited<ReturnType<typeof createTeam>>;
let stage: Stage;
let gate: Gate;
let page: Page;
beforeAll(async () => {
  team = await createTeam();
  stage = await startStage(ACCESS_VARIABLES, { outbound: team.outbound });
  gate = await startGate(stage.path.url);
});
afterAll(async () => {
  await stage.stop();
  await gate.stop();
});
beforeEach(async () => {
  page = await stage.open();
  gate.redirectScripts(false);
  gate.refusals.length = 0;
  gate.vouch(await team.assertion(ADA));
});

/** Waits until the overview runs: it has shown an answer. */
const overview = async () => {
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByRole("status").getByText("Delivering").waitFor();
};
const ended = () => page.getByText("Your session has ended. Sign in again to continue where you were.").waitFor();
const tokenField = () => page.getByLabel("Access token");
/** Makes the console refresh now; harmless if it has just refreshed by itself. */
const refresh = () => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

/** Through the sign-in of Access, and back. */
async function signInAgain(): Promise<void> {
  await page.getByRole("button", { name: "Sign in again" }).press("Enter");
  await page.getByRole("heading", { name: "Sign in to Access" }).waitFor();
  gate.vouch(await team.assertion(ADA));
  await page.getByRole("link", { name: "Continue" }).click();
}

it("shows who is signed in and with which role, and stores nothing", async () => {
  await page.goto(`${gate.url}/console/`);
  await page.getByRole("banner").getByText(`${ADA} (operate)`).waitFor();
  expect(await tokenField().count()).toBe(0);
  expect(await page.evaluate(() => sessionStorage.length + localStorage.length)).toBe(0);
});

it.each([
  { access: "answers 401", status: 401 },
  { access: "redirects", status: 302 },
])("says that the session has ended if Access $access, and goes on where it was", async ({ status }) => {
  gate.redirectScripts(status === 302);
  await page.goto(`${gate.url}/console/?range=7d`);
  await overview();
  gate.vouch(undefined);
  await refresh();
  await ended();
  expect(await tokenField().count()).toBe(0);
  expect(await page.getByRole("navigation").count()).toBe(0);
  expect(gate.refusals).toContain(status);
  await signInAgain();
  await overview();
  expect(page.url()).toBe(`${gate.url}/console/?range=7d`);
});

it("says so as well if the worker finds that the assertion has expired", async () => {
  await page.goto(`${gate.url}/console/`);
  await overview();
  gate.vouch(await team.assertion(ADA, { expires: "-1m" }));
  await refresh();
  await ended();
  expect(await tokenField().count()).toBe(0);
  expect(await page.title()).toBe("Sign in · Audit forwarder");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
});

it("says so as well if the session ends while the page loads", async () => {
  await page.route("**/api/me", async (route) => {
    gate.vouch(undefined);
    await route.continue();
  });
  await page.goto(`${gate.url}/console/`);
  await ended();
  expect(await tokenField().count()).toBe(0);
});

it("signs out of Access, not only of the page", async () => {
  await page.goto(`${gate.url}/console/`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "You are signed out of Access" }).waitFor();
  await page.goto(`${gate.url}/console/`);
  await page.getByRole("heading", { name: "Sign in to Access" }).waitFor();
  expect(new URL(page.url()).hostname).toBe("localhost");
});

it("takes a token from somebody who has no assertion for this application", async () => {
  gate.vouch(await team.assertion(ADA, { audience: "aud-of-another" }));
  await page.goto(`${gate.url}/console/`);
  await tokenField().fill(TOKENS.read);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("banner").getByText("rita (read)").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await tokenField().waitFor();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  await tokenField().fill(TOKENS.read);
  await page.getByRole("button", { name: "Sign in" }).click();
  await overview();
  gate.vouch(undefined);
  await refresh();
  await ended();
  await signInAgain();
  await page.getByRole("banner").getByText(`${ADA} (operate)`).waitFor();
});

it("breaks no rule of its policy", () => {
  expect(stage.errors).toEqual([]);
});
