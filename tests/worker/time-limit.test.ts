/** One timer for several pieces of work, each with a limit of its own. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { TimeLimit } from "../../worker/time-limit.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<string>(() => {});

function watch(work: Promise<string>) {
  const seen: { value?: string; atMs?: number } = {};
  void work.then((value) => Object.assign(seen, { value, atMs: Date.now() }));
  return seen;
}

it("gives each its whole time, whenever it began, with one timer at a time", async () => {
  vi.setSystemTime(0);
  const limit = new TimeLimit(15_000, Date.now);
  const first = watch(limit.within(never, "late"));
  await vi.advanceTimersByTimeAsync(4_000);
  const second = watch(limit.within(never, "late"));
  const third = watch(limit.within(never, "late"));
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(10_999);
  expect([first, second, third]).toEqual([{}, {}, {}]);
  await vi.advanceTimersByTimeAsync(1);
  expect([first, second]).toEqual([{ value: "late", atMs: 15_000 }, {}]);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(4_000);
  expect([second, third]).toEqual(Array.from({ length: 2 }, () => ({ value: "late", atMs: 19_000 })));
  expect(vi.getTimerCount()).toBe(0);
});

it("passes on what ends in time, and then limits what comes later", async () => {
  vi.setSystemTime(0);
  const limit = new TimeLimit(100, Date.now);
  expect(await limit.within(Promise.resolve("done"), "late")).toBe("done");
  await expect(limit.within(Promise.reject(new Error("broken")), "late")).rejects.toThrow("broken");
  await vi.advanceTimersByTimeAsync(60);
  const later = watch(limit.within(never, "late"));
  await vi.advanceTimersByTimeAsync(99);
  expect(later).toEqual({});
  await vi.advanceTimersByTimeAsync(1);
  expect(later).toEqual({ value: "late", atMs: 160 });
  const last = watch(limit.within(never, "late"));
  await vi.advanceTimersByTimeAsync(100);
  expect(last).toEqual({ value: "late", atMs: 260 });
});
