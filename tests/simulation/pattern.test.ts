import { describe, expect, it } from "vitest";
import { replacePattern } from "./host/pattern.ts";

const FORGETS = { from: 'if ($state === "delivered" || $state === "discarded")', to: 'if ($state === "discarded")' };

describe("a mutation by shape", () => {
  it.each([
    { name: "as it was written", source: 'if (known.state === "delivered" || known.state === "discarded") a();' },
    { name: "with another name", source: 'if (row.fate === "delivered" || row.fate === "discarded") a();' },
    { name: "with a plain name", source: 'if (state === "delivered" || state === "discarded") a();' },
    { name: "with a private field", source: 'if (this.#s?.x === "delivered" || this.#s?.x === "discarded") a();' },
    { name: "over several lines", source: 'if (\n  s === "delivered" ||\n  s === "discarded"\n) a();' },
  ])("fits code $name", ({ source }) => {
    const name = /if \(\s*(\S+)/.exec(source)?.[1];
    const changed = replacePattern(source, FORGETS);
    expect({ ...changed, source: changed.source.replaceAll(/\s+/g, " ") }).toEqual({
      count: 1,
      source: `if (${name} === "discarded") a();`,
    });
  });

  it.each([
    { name: "two different names", source: 'if (a.state === "delivered" || b.state === "discarded") a();' },
    { name: "a part of a name", source: 'if (a.state === "delivered" || aa.state === "discarded") a();' },
    { name: "another text", source: 'if (a === "delivered" || a === "skipped") a();' },
  ])("does not fit $name", ({ source }) => {
    expect(replacePattern(source, FORGETS)).toEqual({ count: 0, source });
  });

  it("counts each place that it fits, and changes all", () => {
    const source = 'if (a === "delivered" || a === "discarded") b(); if (c === "delivered" || c === "discarded") d();';
    expect(replacePattern(source, FORGETS)).toEqual({
      count: 2,
      source: 'if (a === "discarded") b(); if (c === "discarded") d();',
    });
  });

  it("can name a property of a name, and leaves other dollars alone", () => {
    const pattern = {
      from: "for (const $one of $all) { $one.$out = $sent;",
      to: "for (const $one of $all) { $one.$out = $1;",
    };
    expect(replacePattern("for (const each of every) {\n  each.isOut = done;", pattern)).toEqual({
      count: 1,
      source: "for (const each of every) { each.isOut = $1;",
    });
  });
});
