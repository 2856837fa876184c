/** Every view: for everyone who looks, on every screen, with what the role allows and with what came from outside. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../worker/support/local-path.ts";
import { violations } from "./support/axe.ts";
import { refusedRecords } from "./support/letters.ts";
import { type Stage, startStage, TOKENS } from "./support/stage.ts";

const BIDI = "\u202E";
const HOSTILE = `<img src=x onerror=alert(1)>${BIDI}txt.exe`;
const WIDTHS = [360, 414, 768, 1280];

let stage: Stage;
let eventId: string;
let replayId: string;
beforeAll(async () => {
  stage = await startStage();
  const [first = "", second] = await refusedRecords(stage, [
    { action: "member.invited", requestId: "req-1" },
    { action: "member.replayed" },
    {
      action: `evil.${BIDI}action`,
      organization: HOSTILE,
      route: `/v1/${HOSTILE}`,
      requestId: "req-hostile",
      actor: { id: "u", type: "user", name: `Ada\u0000\u200B${BIDI}` },
    },
  ]);
  eventId = first;
  const { json } = await stage.path.post("/api/replays", { event_ids: [second], name: HOSTILE.slice(0, 40) });
  replayId = json.id;
  await until(
    async () => (await stage.path.get(`/api/replays/${replayId}`)).json.state,
    (state) => state === "done",
  );
});
afterAll(() => stage.stop());

/** What each view shows once it is ready. */
const VIEWS: Readonly<
  Record<string, { readonly address: () => string; readonly title: string; readonly ready: string }>
> = {
  overview: { address: () => "/", title: "Overview", ready: "WorkOS rejected events for good" },
  "dead letters": { address: () => "/dead-letters", title: "Dead letters", ready: "2 of 2 shown" },
  groups: { address: () => "/dead-letters?group_by=organization", title: "Dead letters", ready: "2 in 2 groups" },
  "an empty list": { address: () => "/dead-letters?action=none", title: "Dead letters", ready: "Nothing matches" },
  record: { address: () => `/events/${eventId}`, title: "Record", ready: "The record" },
  search: { address: () => "/search?q=nothing", title: "Search", ready: "Nothing has this" },
  replays: { address: () => "/replays", title: "Replays", ready: "1 delivered" },
  replay: { address: () => `/replays/${replayId}`, title: "Replay", ready: "1 of 1 shown" },
  evidence: { address: () => "/evidence", title: "Evidence", ready: "Evidence is switched off." },
  "no view": { address: () => "/nothing/here", title: "No such page", ready: "no view at this address" },
};

describe("every view", () => {
  let page: Page;
  beforeAll(async () => {
    page = await stage.openAt("/", "operate");
  });

  it.each(Object.entries(VIEWS))(
    "%s has a title, no finding of axe in light and dark, and fits four widths",
    async (_, view) => {
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(`${stage.path.url}/console${view.address()}`);
      await page.getByText(view.ready).first().waitFor();
      await expect.poll(() => page.title()).toBe(`${view.title} · Audit forwarder`);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await violations(page)).toEqual([]);
      }
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect([width, overflow]).toEqual([width, 0]);
      }
      await page.setViewportSize({ width: 360, height: 800 });
      expect(await violations(page)).toEqual([]);
    },
  );

  it.each(["Plan replay", "Discard"])("the dialog behind %s is as good, on a phone too", async (button) => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(`${stage.path.url}/console/dead-letters`);
    await page.getByRole("button", { name: button }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: button === "Discard" ? "Discard" : "Send 2" }).waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
    await page.setViewportSize({ width: 360, height: 700 });
    const box = await dialog.boundingBox();
    expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 999) <= 360).toBe(true);
    expect(await violations(page)).toEqual([]);
  });

  it("the sign-in is as good", async () => {
    const page = await stage.open({ viewport: { width: 360, height: 700 } });
    await page.goto(`${stage.path.url}/console`);
    await page.getByLabel("Access token").waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
  });
});

describe("the history", () => {
  it("captions each chart with the total of its range, or the newest value", async () => {
    const page = await stage.open();
    const asked: URLSearchParams[] = [];
    await page.route("**/api/metrics?**", (route) => {
      const query = new URL(route.request().url()).searchParams;
      asked.push(query);
      const at = (steps: number) => Number(query.get("from")) + steps * Number(query.get("step"));
      const points = (...values: number[]) => values.map((value, index) => [at(index), value]);
      return route.fulfill({
        json: {
          step_seconds: Number(query.get("step")),
          series: {
            delivered: points(1_000, 204),
            retried: points(3, 0),
            refused: points(0, 1),
            waiting: points(9, 7),
            dead_letters_open_rejected: points(0, 2),
            age_p50_ms: points(90, 120),
            age_p99_ms: points(100, 3_000),
          },
        },
      });
    });
    await page.addInitScript((token) => sessionStorage.setItem("audit-forwarder.token", token), TOKENS.read);
    await page.goto(`${stage.path.url}/console/?range=7d`);
    for (const name of [
      "Events: 1,204 delivered, 3 retried, 1 refused",
      "Age at delivery: p50 120 ms, p99 3 s",
      "Waiting for WorkOS: 7 now",
      "Dead letters by class: 2 rejected open",
    ])
      await page.getByRole("img", { name, exact: true }).waitFor();
    expect(await page.locator("canvas").count()).toBe(4);
    expect(Number(asked[0]?.get("until")) - Number(asked[0]?.get("from"))).toBe(7 * 86_400);
  });

  it("that cannot be read breaks only its view, which says so", async () => {
    const page = await stage.open();
    await page.route("**/api/metrics?**", (route) => route.fulfill({ json: { step_seconds: 60 } }));
    await page.addInitScript((token) => sessionStorage.setItem("audit-forwarder.token", token), TOKENS.read);
    await page.goto(`${stage.path.url}/console/`);
    await page.getByRole("alert").getByText("This view has failed.").waitFor();
    await page.getByRole("link", { name: "Replays" }).click();
    await page.getByText("1 delivered").waitFor();
    expect(stage.errors.splice(0)).toEqual([expect.stringContaining("TypeError")]);
  });

  it("comes from the worker, in every range", async () => {
    const page = await stage.openAt("/", "read");
    for (const range of ["1 h", "24 h", "7 d", "30 d"]) {
      await page.getByRole("link", { name: range, exact: true }).click();
      await page.getByRole("img", { name: /^Events: 1 delivered, 0 retried, 3 refused/ }).waitFor();
    }
    expect(await page.getByRole("alert").count()).toBe(0);
  });
});

describe("text from outside", () => {
  it("is isolated, and what is invisible is made visible", async () => {
    const page = await stage.openAt("/dead-letters");
    const row = page.getByRole("row").filter({ hasText: "evil." });
    await row.getByText("U+202E").first().waitFor();
    expect(await row.innerText()).toContain("<img src=x onerror=alert(1)>");
    expect(await row.evaluate((element) => element.textContent)).not.toContain(BIDI);
    expect(await row.locator("bdi").first().getAttribute("dir")).toBe("auto");
    await row.getByRole("link").click();
    await page.getByRole("heading", { name: "The record" }).waitFor();
    const text = await page.getByRole("main").evaluate((element) => element.textContent);
    expect(text).not.toMatch(/[\0\u200B\u202E]/);
    for (const name of ["U+0000", "U+200B", "U+202E"]) expect(text).toContain(name);
    expect(await page.locator("img[src=x]").count()).toBe(0);
  });
});

describe("a role", () => {
  it("that may only look finds no control that it may not use", async () => {
    const page = await stage.openAt("/", "read");
    await page.getByText("WorkOS rejected events for good").waitFor();
    expect(await page.getByRole("button", { name: "Pause delivery" }).count()).toBe(0);
    await page.goto(`${stage.path.url}/console/dead-letters`);
    await page.getByText("2 of 2 shown").waitFor();
    await page.goto(`${stage.path.url}/console/dead-letters`);
    await page.getByText("2 match.").waitFor();
    expect(await page.getByRole("checkbox").count()).toBe(0);
    for (const name of ["Plan replay", "Discard", "Export"])
      expect([name, await page.getByRole("button", { name }).count()]).toEqual([name, 0]);
    await page.goto(`${stage.path.url}/console/events/${eventId}`);
    await page.getByRole("heading", { name: "The record" }).waitFor();
    for (const name of ["Plan replay", "Discard", "Reveal"])
      expect([name, await page.getByRole("button", { name }).count()]).toEqual([name, 0]);
  });

  it("that may operate reveals what is hidden, and exports", async () => {
    const page = await stage.openAt(`/events/${eventId}`, "operate");
    await page.getByRole("heading", { name: "The record" }).waitFor();
    expect(await page.getByRole("main").innerText()).not.toContain("selected-value");
    await page.getByRole("button", { name: "Reveal" }).click();
    await page.getByText("selected-value").waitFor();
    await page.goto(`${stage.path.url}/console/dead-letters`);
    await page.getByLabel("with hidden values").check();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export" }).click(),
    ]);
    const lines = (await readFile(await download.path(), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).record.metadata.plan)).toEqual(["selected-value", "selected-value"]);
  });
});

describe("a failure", () => {
  it("is said where the person looks, with the next step, and goes away", async () => {
    const page = await stage.openAt("/", "operate");
    await page.route("**/api/dead-letters?**", (route) => route.abort());
    await page.getByRole("link", { name: "Dead letters", exact: true }).click();
    const alert = page.getByRole("main").getByRole("alert");
    await alert.getByText("The worker does not answer.").waitFor();
    await page.unroute("**/api/dead-letters?**");
    await alert.getByRole("button", { name: "Try again" }).click();
    await page.getByText("2 of 2 shown").waitFor();
    expect(await alert.count()).toBe(0);
  });

  it("of the worker itself stands in the header, and on the overview", async () => {
    const page = await stage.open();
    await page.route("**/health", (route) => route.abort());
    await page.addInitScript((token) => sessionStorage.setItem("audit-forwarder.token", token), TOKENS.operate);
    await page.goto(`${stage.path.url}/console/`);
    await expect.poll(() => page.getByRole("status").innerText()).toBe("The worker does not answer");
    await page.unroute("**/health");
    const problem = { code: "missing_variable", detail: "variables missing: WORKOS_API_KEY" };
    await page.route("**/health", (route) => route.fulfill({ status: 503, json: problem }));
    await page.reload();
    await expect.poll(() => page.getByRole("status").innerText()).toBe("Not delivering");
    await page.getByRole("region", { name: "Delivery" }).getByText("WORKOS_API_KEY").waitFor();
  });

  it("of a role that was taken away names the role that is needed", async () => {
    const page = await stage.openAt("/dead-letters", "operate");
    const detail = 'this needs the role "operate"; the token has the role "read"';
    await page.route("**/api/replays", (route) => route.fulfill({ status: 403, json: { code: "forbidden", detail } }));
    await page.getByRole("button", { name: "Plan replay" }).click();
    await page.getByRole("dialog").getByText('This needs the role "operate"').waitFor();
    expect(await page.getByRole("button", { name: /^Send/ }).count()).toBe(0);
  });

  it.each([
    ["/dead-letters?status=many", '"status"'],
    ["/dead-letters?colour=red", '"colour"'],
    ["/replays/rp_unknown", "no such replay"],
    ["/events/%E0%A4%A", "no view at this address"],
    ["/events/not%20an%20id", '"event_id"'],
  ])("of the address %s says what is wrong with it", async (address, said) => {
    const page = await stage.openAt(address);
    await expect.poll(() => page.getByRole("main").innerText()).toContain(said);
  });
});

it("finds a record by its event id and by its request id", async () => {
  const page = await stage.openAt("/");
  for (const wanted of [eventId, "req-1"]) {
    const search = page.getByRole("searchbox", { name: "Event or request id" });
    await search.fill(wanted);
    await search.press("Enter");
    await page.waitForURL(`**/console/events/${eventId}`);
    await page.getByText("It is a dead letter").first().waitFor();
    await page.goBack();
    expect(new URL(page.url()).pathname).toBe("/console/");
  }
});

it("leaves no error and asks no other origin", () => {
  expect(stage.errors).toEqual([]);
  expect(stage.strangers).toEqual([]);
});
