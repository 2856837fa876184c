/** The console as a person uses it: the served page in a DOM, talking to the real worker. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { Window } from "happy-dom";
import { ADMIN_TOKEN, startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { recordsOf } from "../support/records.ts";

let path: LocalPath;
let window: Window;
beforeEach(async () => {
  path = await startLocalPath();
  path.workos.faults.add({ status: 400, body: { message: "no" } });
  for (const record of recordsOf(3, { metadata: { plan: "selected-value" } })) await path.publish([record]);
  await path.queue.idle();
  path.workos.faults.clear();
  window = await openConsole(path.url);
});
afterEach(async () => {
  await window.happyDOM.close();
  await path.stop();
});

/** Runs the page's own script, as a browser would under the policy that comes with it. */
async function openConsole(url: string): Promise<Window> {
  const html = await (await fetch(`${url}/console`)).text();
  const opened = new Window({
    url: `${url}/console`,
    settings: { enableJavaScriptEvaluation: true, suppressInsecureJavaScriptEnvironmentWarning: true },
  });
  opened.document.write(html);
  return opened;
}

const text = (selector: string) => window.document.querySelector(selector)?.textContent ?? "";
const rows = (id: string) => window.document.querySelectorAll(`#${id} tr`).length;
const button = (name: string) =>
  [...window.document.querySelectorAll("button")].find((found) => found.textContent === name);
async function press(name: string): Promise<void> {
  (
    await until(
      () => button(name),
      (found) => found !== undefined,
    )
  )?.click();
}

async function login(token: string): Promise<void> {
  const input = window.document.querySelector("#token") as unknown as { value: string };
  input.value = token;
  await press("Show");
}

it("refuses a wrong token in words and shows nothing", async () => {
  await login("wrong-token-000000000");
  await until(
    () => text("#message"),
    (message) => message.includes("is wrong"),
  );
  expect(rows("letters")).toBe(0);
});

it("lists, shows with selected values hidden, and replays", async () => {
  await login(ADMIN_TOKEN);
  await until(
    () => rows("letters"),
    (count) => count === 3,
  );
  // Asked for beside the list.
  await until(
    () => text("#counts"),
    (counts) => counts === "3 dead letters: 3 rejected.",
  );

  const first = window.document.querySelector("#letters button") as unknown as { click(): void };
  first.click();
  await until(
    () => text("#detail"),
    (detail) => detail.includes("[hidden]"),
  );
  expect(text("#detail")).not.toContain("selected-value");
  await press("Reveal");
  await until(
    () => text("#detail"),
    (detail) => detail.includes("selected-value"),
  );

  await press("Plan a replay of these");
  await until(
    () => text("#detail"),
    (detail) => detail.includes('"send": 3'),
  );
  expect(path.workos.events()).toHaveLength(0);
  await press("Send 3");
  await until(
    () => path.workos.events().length,
    (count) => count === 3,
  );
  await until(
    () => text("#replays"),
    (replays) => replays.includes("3 delivered, 0 failed again, 0 skipped of 3"),
  );
});
