import { describe, expect, it } from "vitest";
import { hasSection, withSection } from "../../../cli/init/agents-section.ts";

const PAGE = "# Audit forwarder\n\nHow to work with it.\n\n## Files\n";
const NEWER = "# Audit forwarder\n\nOther words.\n";
const THEIRS = "# Our API\n\nRun the linter.\n";

describe("the section of AGENTS.md", () => {
  it("becomes a new file, below no title of its own", () => {
    const text = withSection(undefined, PAGE);
    expect(text).toMatch(/^<!-- audit-forwarder: begin.* -->\n\n## Audit forwarder\n/);
    expect(text).toContain("\n### Files\n");
    expect(text).toMatch(/\n<!-- audit-forwarder: end -->\n$/);
  });

  it.each([THEIRS, THEIRS.trimEnd(), THEIRS.replaceAll("\n", "\r\n")])("comes after what is there: %j", (theirs) => {
    const text = withSection(theirs, PAGE);
    expect(text.startsWith(theirs)).toBe(true);
    expect(hasSection(theirs)).toBe(false);
    expect(hasSection(text)).toBe(true);
    const hasLoneLineFeed = /(?<!\r)\n/.test(text);
    expect(hasLoneLineFeed).toBe(!theirs.includes("\r"));
  });

  it("is replaced where it stands, and everything around it stays byte for byte", () => {
    const text = `${withSection(THEIRS, PAGE)}\n## After it  \n`;
    const replaced = withSection(text, NEWER);
    expect(replaced.startsWith(THEIRS)).toBe(true);
    expect(replaced.endsWith("<!-- audit-forwarder: end -->\n\n## After it  \n")).toBe(true);
    expect(replaced).toContain("Other words.");
    expect(replaced).not.toContain("How to work with it.");
  });

  it("stays the same if it is this version's", () => {
    for (const before of [undefined, "", THEIRS, THEIRS.replaceAll("\n", "\r\n")]) {
      const text = withSection(before, PAGE);
      expect(withSection(text, PAGE)).toBe(text);
    }
  });

  const whole = withSection(THEIRS, PAGE);
  it.each([
    ["no end", whole.replace("<!-- audit-forwarder: end -->", "")],
    ["no begin", whole.replace(/<!-- audit-forwarder: begin.*/, "")],
    ["two sections", whole + whole],
    ["the end first", `<!-- audit-forwarder: end -->\n${whole}`],
  ])("is refused if its marks are broken: %s", (_, text) => {
    const refused = expect.objectContaining({ code: "conflict", message: expect.stringContaining('"AGENTS.md"') });
    expect(() => withSection(text, PAGE)).toThrow(refused);
  });
});
