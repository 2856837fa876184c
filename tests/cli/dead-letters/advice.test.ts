/** What an operator is told of a dead letter by its class and reason. */
import { describe, expect, it } from "vitest";
import { adviceFor } from "../../../cli/dead-letters/advice.ts";
import { suggestFrom } from "../../../cli/run/suggestion.ts";
import { ROOT } from "../deploy/process.ts";

const letter = { event_id: "ev_1", state: "open", wrote: "no", class: "exhausted", reason: "http_503" } as const;

describe("the advice", () => {
  it.each([
    ["a wrong key", { class: "credential", reason: "paused_by_credential" }, /API key/, "npx audit-forwarder resume"],
    [
      "a pause by hand",
      { reason: "paused_by_operator after http_503" },
      /operator had paused/,
      "npx audit-forwarder resume",
    ],
    ["a class of a newer worker", { class: "toString" }, /Every attempt failed/, "check that WorkOS answers"],
    ["an outage", {}, /Every attempt failed/, "npx audit-forwarder doctor --skip-event"],
  ])("for %s", (_, changes, why, step) => {
    const advice = adviceFor({ ...letter, ...changes }, suggestFrom(ROOT));
    expect(advice.why).toMatch(why);
    expect(advice.next).toContain(step);
    expect(advice.next).toContain("npx audit-forwarder dead-letters replay ev_1 --dry-run");
  });
});
