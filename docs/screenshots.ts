/** `npm run screenshots`: takes the pictures of the console in docs/images, on the real worker with dead letters and a replay. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { startChromium } from "../dev/chromium.ts";
import { createMovableClock, startQueue } from "../dev/queue/server.ts";
import { causeIncident } from "../dev/showcase/incidents.ts";
import { exampleRecord, publishRecord } from "../dev/showcase/record.ts";
import { startWorker } from "../dev/worker.ts";
import { variablesOf } from "../dev/worker-variables.ts";
import { startWorkos } from "../dev/workos/server.ts";
import { exampleHistory } from "./screenshots/history.ts";

const FOLDER = fileURLToPath(new URL("./images/", import.meta.url));
const DESK = { width: 1200, height: 760 };
const PHONE = { width: 390, height: 760 };

const token = randomBytes(24).toString("base64url");
const [workos, queue, browser] = await Promise.all([
  startWorkos(),
  startQueue({ path: ":memory:", clock: createMovableClock() }),
  startChromium(),
]);
const worker = await startWorker({
  vars: {
    ...variablesOf(workos, queue),
    AUDIT_INGEST_KEY: `whsec_${randomBytes(24).toString("base64")}`,
    AUDIT_ADMIN_TOKEN: token,
    AUDIT_ENVIRONMENT: "production",
  },
});
try {
  const shown = await scene();
  await mkdir(FOLDER, { recursive: true });
  await pictures(browser, shown);
} finally {
  await browser.close();
  await worker.stop();
  await queue.stop();
  await workos.stop();
}

interface Shown {
  readonly eventId: string;
  readonly replayId: string;
}

/** Delivered events, rejected ones, and a replay of those that were put right. */
async function scene(): Promise<Shown> {
  for (let n = 0; n < 12; n++) await publishRecord(queue, worker.url, exampleRecord());
  await causeIncident("dead_letters_rejected", { workos, queue, clock: createMovableClock(), workerUrl: worker.url });
  await queue.idle();
  await worker.scheduled();
  const letters = await api("GET", "/api/dead-letters?action=member.invite&limit=2");
  const [{ event_id: eventId }] = letters.dead_letters as [{ event_id: string }];
  const set = { action: "member.invited" };
  const filter = { action: "api_key.rotated" };
  const { id: replayId } = await api("POST", "/api/replays", { filter, set, name: "Renamed action" });
  while ((await api("GET", `/api/replays/${String(replayId)}`)).state !== "done") await queue.idle();
  return { eventId, replayId: String(replayId) };
}

async function api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(worker.url + path, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Record<string, unknown>;
}

async function pictures(browser: Browser, { eventId, replayId }: Shown): Promise<void> {
  const page = await pageOf(browser, "light", DESK);
  await page.setViewportSize({ ...DESK, height: 960 });
  await open(page, "/", "Age at delivery");
  await save(page, "overview");
  await page.setViewportSize(DESK);
  await open(page, "/dead-letters", "shown");
  await save(page, "dead-letters");
  await page.getByLabel("Action", { exact: true }).fill("member.invite");
  await page.keyboard.press("Enter");
  await page.getByText("All 4 that match").waitFor();
  await page.getByRole("button", { name: "Plan replay" }).click();
  await page.getByText("Change before sending").click();
  await page.getByLabel("Set the action").fill("member.invited");
  await page.getByRole("button", { name: "Update the plan" }).click();
  await page.getByText("Changes 4").waitFor();
  // As high as the dialog, so that "Replace values" and "Send" are on it.
  await page.setViewportSize({ ...DESK, height: 1080 });
  await save(page, "plan");
  await page.setViewportSize(DESK);
  await open(page, `/replays/${replayId}`, "of 2 shown");
  await save(page, "replay");
  await open(page, "/evidence", "Evidence is switched off");
  await save(page, "evidence");
  const dark = await pageOf(browser, "dark", DESK);
  await open(dark, `/events/${eventId}`, "The record");
  await save(dark, "record");
  const phone = await pageOf(browser, "dark", PHONE);
  await open(phone, "/", "What to do");
  await save(phone, "phone");
}

async function pageOf(browser: Browser, colorScheme: "light" | "dark", viewport: typeof DESK): Promise<Page> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", colorScheme, viewport });
  const page = await context.newPage();
  await page.addInitScript((kept) => sessionStorage.setItem("audit-forwarder.token", kept), token);
  // A worker that has just started has no history yet; these figures are made up.
  await page.route("**/api/metrics?**", (route) =>
    route.fulfill({ json: exampleHistory(new URL(route.request().url()).searchParams) }),
  );
  return page;
}

async function open(page: Page, address: string, ready: string): Promise<void> {
  await page.goto(`${worker.url}/console${address}`);
  await page.getByText(ready).first().waitFor();
}

async function save(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${FOLDER}console-${name}.png`, animations: "disabled" });
}
