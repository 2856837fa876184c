import { describe, expect, it } from "vitest";
import { parseBenchOptions } from "../../bench/options.ts";
import { PART_NAMES } from "../../bench/report/part.ts";

describe("parseBenchOptions", () => {
  it("runs every part by default", async () => {
    const expected = { parts: PART_NAMES, quick: false, json: false, command: "npm run bench" };
    expect(await parseBenchOptions([])).toEqual(expected);
  });

  it("takes several parts in either form and runs each once, in the report's order", async () => {
    const parsed = await parseBenchOptions(["--only", "bytes,gateway", "--only", "bytes", "--quick", "--json"]);
    expect(parsed).toEqual({
      parts: ["gateway", "bytes"],
      quick: true,
      json: true,
      command: "npm run bench -- --only bytes,gateway --only bytes --quick --json",
    });
  });

  it.each([
    [["--only", "nonsense"], '"--only" takes'],
    [["--only", "bytes,"], '"--only" takes'],
    [["--only"], '"--only" takes'],
    [["--fast"], "unknown argument"],
    [["bytes"], "unknown argument"],
  ])("refuses %j", async (args, message) => {
    await expect(parseBenchOptions(args)).rejects.toMatchObject({
      code: "invalid_option",
      message: expect.stringContaining(message) as string,
    });
  });

  it("shows the help and runs nothing", async () => {
    const shown: string[] = [];
    expect(await parseBenchOptions(["--help"], (text) => shown.push(text))).toBeUndefined();
    expect(shown.join()).toContain("--only");
    expect(shown.join()).toContain("--quick");
  });
});
