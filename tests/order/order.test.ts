import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { LONGEST, longestFirst, spread } from "./sequencer.ts";
import { takeTurn } from "./turn.ts";

describe("the order of the test files", () => {
  it.each([
    { few: "AB", many: "123456", merged: "A123B456" },
    { few: "ABC", many: "1234", merged: "A1B2C34" },
    { few: "AB", many: "1", merged: "AB1" },
    { few: "", many: "12", merged: "12" },
    { few: "AB", many: "", merged: "AB" },
  ])("spreads $few among $many and keeps each once: $merged", ({ few, many, merged }) => {
    expect(spread(few.split(""), many.split("")).join("")).toBe(merged);
  });
});

describe("the longest test files", () => {
  it("come first, the longest of all at the front, and the others keep their order", () => {
    const [first = "", second = ""] = LONGEST;
    const files = ["/c/tests/b.test.ts", `/c/${second}`, "/c/tests/a.test.ts", `/c/${first}`];
    expect(longestFirst(files, String)).toEqual([
      `/c/${first}`,
      `/c/${second}`,
      "/c/tests/b.test.ts",
      "/c/tests/a.test.ts",
    ]);
  });

  it.each(LONGEST)("%s is there", (path) => {
    expect(existsSync(new URL(`../../${path}`, import.meta.url))).toBe(true);
  });
});

describe("a turn", () => {
  async function newFile(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "turn-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    return join(folder, "new/turn.sqlite");
  }

  it("is one holder's at a time", async () => {
    const file = await newFile();
    const held: string[] = [];
    const hold = async (name: string): Promise<void> => {
      const end = await takeTurn(file);
      held.push(`${name} begins`);
      await new Promise(setImmediate);
      held.push(`${name} ends`);
      end();
    };
    await Promise.all(["a", "b", "c"].map(hold));
    const names = held.map((line) => line.slice(0, 1));
    expect(held).toEqual([names[0], names[2], names[4]].flatMap((name) => [`${name} begins`, `${name} ends`]));
    expect(new Set(names)).toEqual(new Set("abc"));
  });

  it("is free again when the process that held it was killed", async () => {
    const file = await newFile();
    const script = `import { takeTurn } from ${JSON.stringify(new URL("turn.ts", import.meta.url).href)};
      await takeTurn(${JSON.stringify(file)}); console.log("held"); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script]);
    await once(child.stdout, "data");
    let isMine = false;
    const mine = takeTurn(file).then((end) => ((isMine = true), end()));
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(isMine).toBe(false);
    child.kill("SIGKILL");
    await mine;
    expect(isMine).toBe(true);
  });
});
