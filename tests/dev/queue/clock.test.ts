import { expect, test } from "vitest";
import { createMovableClock } from "../../../dev/queue/clock.ts";

test("a frozen clock moves only when it is advanced", () => {
  const clock = createMovableClock({ start: 1000, frozen: true });
  clock.advance(500);
  expect(clock.now()).toBe(1500);
});

test("advancing runs what became due, at once and only once", () => {
  const clock = createMovableClock({ start: 0, frozen: true });
  const ran: string[] = [];
  clock.wakeAt(100, () => ran.push("early"));
  clock.wakeAt(200, () => ran.push("late"));
  clock.advance(150);
  expect(ran).toEqual(["early"]);
  clock.advance(1000);
  expect(ran).toEqual(["early", "late"]);
});

test("a cancelled wake-up never runs", () => {
  const clock = createMovableClock({ start: 0, frozen: true });
  const ran: string[] = [];
  const cancel = clock.wakeAt(10, () => ran.push("cancelled"));
  cancel();
  clock.advance(100);
  expect(ran).toEqual([]);
});

test("a running clock wakes by itself, and sooner when it is pushed forward", async () => {
  const clock = createMovableClock();
  const ran: string[] = [];
  await new Promise<void>((resolve) => clock.wakeAt(clock.now() + 5, resolve));
  clock.wakeAt(clock.now() + 72_000_000, () => ran.push("far"));
  clock.advance(72_000_000);
  expect(ran).toEqual(["far"]);
});

test("a wait longer than a timer can hold is not cut short", async () => {
  const clock = createMovableClock({ start: 0 });
  const ran: string[] = [];
  clock.wakeAt(40 * 86_400_000, () => ran.push("woken"));
  clock.advance(30 * 86_400_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ran).toEqual([]);
  clock.advance(10 * 86_400_000);
  expect(ran).toEqual(["woken"]);
});

test.each([-1, Number.NaN, Infinity])("refuses to advance by %s", (ms) => {
  expect(() => createMovableClock().advance(ms)).toThrow(
    new RangeError('"ms" must be a number of milliseconds, not negative'),
  );
});
