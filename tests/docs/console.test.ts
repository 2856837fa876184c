import { describe, expect, it } from "vitest";
import { commandsOf, patternOf, runCommand } from "./console.ts";
import { pageOf } from "./pages.ts";

describe("a console block", () => {
  it("holds commands, their further lines and their outputs", () => {
    expect(commandsOf({ language: "console", text: "$ a \\\n> b\none\n> two\n$ c" })).toEqual([
      { text: "a \\\nb", expected: "one\n> two" },
      { text: "c", expected: "" },
    ]);
    expect(commandsOf({ language: "sh", text: "a\nb" })).toEqual([{ text: "a\nb" }]);
    expect(() => commandsOf({ language: "console", text: "a" })).toThrow("must start with a command");
  });

  it.each([
    ["one\n…\nfour", "one\ntwo\nthree\nfour\n", true],
    ["one\n…\nfour", "one\nfour\n", true],
    ["id …, done", "id 0-9, done\n", true],
    ["id …, done", "id 0-9, failed\n", false],
    ["one", "one\ntwo\n", false],
    ["", "", true],
    ["", "something\n", false],
    ["a.c", "abc\n", false],
    ["…", "any\nthing\n", true],
  ])("expecting %j takes %j: %j", (expected, output, takes) => {
    expect(patternOf(expected).test(output)).toBe(takes);
  });

  it("fails as its command fails, in a pipe too", async () => {
    expect(await runCommand("echo out; echo err >&2; false | cat", {})).toEqual({ exitCode: 1, output: "out\nerr\n" });
  });
});

it("belongs to the comment right before it, also inside a list", () => {
  const { blocks } = pageOf(
    "x.md",
    "<!-- not run: why -->\n\n```sh\na\n```\n\ntext\n\n```sh\nb\n```\n\n1. item\n\n   <!-- run: x -->\n\n   ```console\n   $ c\n   ```\n",
  );
  expect(blocks.map(({ text, comment }) => [text, comment])).toEqual([
    ["a", "not run: why"],
    ["b", undefined],
    ["$ c", "run: x"],
  ]);
});
