import { expect, it } from "vitest";
import { count, kilobytes, megabytes, minutes, seconds } from "../../bench/report/quantities.ts";

it.each([
  [count(1_000_000), "1,000,000"],
  [seconds(29_649), "29.6 s"],
  [minutes(450_000), "7.5 min"],
  [kilobytes(24_149), "24.1 kB"],
  [megabytes(184_000), "0.2 MB"],
  [megabytes(99_940_000), "99.9 MB"],
  [megabytes(1_760_833_536), "1761 MB"],
])("%s", (shown, expected) => {
  expect(shown).toBe(expected);
});
