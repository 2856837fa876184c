import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { journeyPicture } from "../../docs/generate/journey.ts";
import { outagePicture } from "../../docs/generate/outage.ts";
import { DEAD_LETTER_CLASSES } from "../../shared/dead-letter.ts";
import { retryPlan } from "../../shared/retry-horizon.ts";
import { afterAttempt, type Breaker, CLOSED } from "../../worker/monitor/breaker.ts";
import { ROOT } from "./pages.ts";

const architecture = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
const wordsIn = (svg: string): readonly string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, words = ""]) => words);

/** The colours of one scheme by class; `text` is that of every text without a class of its own. */
function coloursOf(css: string): ReadonlyMap<string, string> {
  return new Map([...css.matchAll(/^ *\.?(\w+) \{ fill: (#\w{6})/gm)].map(([, name = "", fill = ""]) => [name, fill]));
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe.each([
  ["journey.svg", journeyPicture()],
  ["outage.svg", outagePicture()],
])("%s", (_name, svg) => {
  it("tells a screen reader its title and what it shows", () => {
    expect(svg).toMatch(/<svg [^>]*role="img" aria-labelledby="title description">/);
    expect(svg).toMatch(/<title id="title">[^<]{15,}<\/title>\n {2}<desc id="description">[^<]{200,}<\/desc>/);
  });

  it("has texts with a contrast of 4.5 or more on every ground, in light and in dark", () => {
    const schemes = svg.split("@media (prefers-color-scheme: dark)").map(coloursOf);
    expect(schemes.map(({ size }) => size)).toEqual([12, 12]);
    for (const colours of schemes) {
      const colour = (name: string): string => colours.get(name) ?? "#808080";
      const grounds = ["card", "group", "plain", "accent", "ok", "warn", "bad"];
      const pairs = grounds.flatMap((ground): [string, string][] => [
        ["text", ground],
        ["quiet", ground],
      ]);
      for (const [text, ground] of pairs.concat([["number", "badge"]]))
        expect(contrast(colour(text), colour(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });
});

it("numbers the journey as the text does", () => {
  const [, list = ""] = /The numbers in the picture are these steps:\n([^]*?)\n## /.exec(architecture) ?? [];
  const steps = [...list.matchAll(/^(\d)\. \*\*(.+?)\*\*/gm)].map(([, number, name]) => `${number} ${name}`);
  expect(steps).toEqual(["1 Capture", "2 Message", "3 Queue", "4 Delivery", "5 Dead letter", "6 Replay"]);
  const numbers = wordsIn(journeyPicture()).filter((words) => /^\d$/.test(words));
  expect(numbers.toSorted()).toEqual(["1", "2", "3", "4", "5", "6"]);
});

it("uses the words that the docs define", () => {
  const shown = wordsIn(journeyPicture()).join(" ").toLowerCase();
  for (const word of ["message", "event id", "dead letter", "replay", "spill", "outbox", "ledger"]) {
    expect(architecture).toMatch(new RegExp(`^\\| ${word} +\\|`, "m"));
    expect(shown).toContain(word);
  }
});

it("shows the outage as the breaker decides it", () => {
  const failed = (breaker: Breaker): Breaker => afterAttempt(breaker, "failed", 1_000);
  let breaker = CLOSED;
  let failures = 0;
  for (; breaker.phase === "closed"; failures++) breaker = failed(breaker);
  const words = wordsIn(outagePicture());
  expect(words).toEqual(expect.arrayContaining([CLOSED.phase, "recovering" satisfies Breaker["phase"]]));
  expect(words).toContain(`${breaker.phase} after ${failures} failures in a row`);
  expect(words).toContain(`after ${(breaker.nextProbeMs - 1_000) / 1_000} s, then`);
});

it("shows every attempt of the default plan, with the waits between, and the class of the dead letter", () => {
  const words = wordsIn(outagePicture());
  const { retries, delaysMs } = retryPlan();
  expect(words.filter((text) => text.startsWith("Attempt "))).toEqual(
    Array.from({ length: retries + 1 }, (_, index) => `Attempt ${index + 1}`),
  );
  const shownMs = words.flatMap((text) => {
    const [, count, unit] = /^(\d+) (min|h)$/.exec(text) ?? [];
    return count === undefined ? [] : [Number(count) * (unit === "h" ? 3_600_000 : 60_000)];
  });
  expect(shownMs).toHaveLength(delaysMs.length);
  delaysMs.forEach((delayMs, index) => expect(Math.abs((shownMs[index] ?? 0) / delayMs - 1)).toBeLessThan(0.01));
  expect(words.filter((text) => (DEAD_LETTER_CLASSES as readonly string[]).includes(text))).toEqual(["exhausted"]);
});
