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
  const cancel = clock.wakeAt(10, () => expect.unreachable());
  cancel();
  clock.advance(100);
});

test("a running clock wakes by itself, and sooner when it is pushed forward", async () => {
  const clock = createMovableClock();
  await new Promise<void>((resolve) => clock.wakeAt(clock.now() + 5, resolve));
  const far = new Promise<void>((resolve) => clock.wakeAt(clock.now() + 72_000_000, resolve));
  clock.advance(72_000_000);
  await far;
});

test("a wait longer than a timer can hold is not cut short", () => {
  const clock = createMovableClock({ start: 0 });
  const cancel = clock.wakeAt(40 * 86_400_000, () => expect.unreachable());
  clock.advance(30 * 86_400_000);
  cancel();
});

test.each([-1, Number.NaN, Infinity])("refuses to advance by %s", (ms) => {
  expect(() => createMovableClock().advance(ms)).toThrow(
    new RangeError('"ms" must be a number of milliseconds, not negative'),
  );
});
