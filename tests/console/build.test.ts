/** What a browser loads: small, and nothing but files of ours. */
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { consoleFiles } from "../../console/build.ts";

/** The contract of the console. */
const MAX_GZIP_BYTES = 100_000;

it("is at most 100 kB after gzip, in total", async () => {
  const files = await consoleFiles();
  const sizes = [...files].map(([name, text]) => [name, gzipSync(text).byteLength] as const);
  expect(sizes.map(([name]) => name).toSorted()).toEqual(["app.css", "app.js", "icon.svg", "index.html"]);
  expect(sizes.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThanOrEqual(MAX_GZIP_BYTES);
});
