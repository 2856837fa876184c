/** The commented lines for the OTLP export, in the clone's `wrangler.toml` and in the package's: wrangler takes them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { unstable_readConfig } from "wrangler";
import { wranglerTemplate } from "../../release/template.ts";

const toml = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "otlp-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The file after step 2 of the runbook. */
function uncommented(text: string): string {
  return text.replace(/^# \[observability\.logs\]\n(?:#.*\n)+/m, (lines) => lines.replaceAll(/^# ?/gm, ""));
}

function read(text: string, env?: string) {
  const config = join(folder, "wrangler.toml");
  writeFileSync(config, text);
  return unstable_readConfig({ config, ...(env === undefined ? {} : { env }) }).observability;
}

describe.each([
  ["the clone's", toml],
  ["the package's", wranglerTemplate(toml)],
])("%s wrangler.toml", (_, text) => {
  it("exports nothing as it is", () => {
    expect(read(text)).toEqual({ enabled: true });
  });

  it.each(["staging", "production"])("exports logs and traces from %s once the marks are removed", (env) => {
    const warn = vi.spyOn(console, "warn");
    expect(read(uncommented(text), env)).toEqual({
      enabled: true,
      logs: { enabled: true, destinations: ["audit-logs"] },
      traces: { enabled: true, destinations: ["audit-traces"], head_sampling_rate: 0.05 },
    });
    expect(warn).not.toHaveBeenCalled();
  });
});
