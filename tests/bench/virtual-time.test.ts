import { describe, expect, it } from "vitest";
import { VirtualTime } from "../../bench/virtual-time.ts";

describe("VirtualTime", () => {
  it("runs timers in the order of their times, and equal ones in the order they were set", async () => {
    const time = new VirtualTime(1_000);
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name}@${time.now()}`);
    time.after(20, note("late"));
    time.after(10, note("first"));
    time.after(10, note("second"));
    time.at(0, note("past"));
    await time.run();
    expect(seen).toEqual(["past@1000", "first@1010", "second@1010", "late@1020"]);
  });

  it("lets promises settle before the next timer, so that what they set comes in its turn", async () => {
    const time = new VirtualTime(0);
    const seen: number[] = [];
    const sleep = (ms: number) => new Promise<void>((resolve) => time.after(ms, resolve));
    const work = async () => {
      await sleep(5);
      await Promise.resolve();
      await sleep(5);
      seen.push(time.now());
    };
    void work();
    time.after(11, () => seen.push(-1));
    await time.run();
    expect(seen).toEqual([10, -1]);
  });

  it("forgets a timer that was called off, and stops at the end", async () => {
    const time = new VirtualTime(0);
    const seen: string[] = [];
    time.after(1, () => seen.push("called off"))();
    time.after(2, () => seen.push("kept"));
    time.after(300, () => seen.push("after the end"));
    await time.run(100);
    expect(seen).toEqual(["kept"]);
  });
});
