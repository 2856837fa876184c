/** Where and when a part was measured, so that figures can be compared. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, loadavg, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";

export interface Conditions {
  readonly date: string;
  readonly command: string;
  readonly cpu: string;
  readonly cpuCount: number;
  readonly memoryGb: number;
  readonly system: string;
  /** Processes that wanted a core in the minute before; above the number of cores the figures are noisy. */
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** The conditions at this moment; `command` is what a reader types to repeat it. */
export async function conditionsNow(command: string): Promise<Conditions> {
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    command,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cpuCount: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${process.arch}`,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    versions: {
      node: process.versions.node,
      workerd: versionOf("workerd"),
      miniflare: versionOf("miniflare"),
      zuplo: await gatewayVersion(),
      "@upstash/qstash": versionOf("@upstash/qstash"),
      "@workos-inc/node": versionOf("@workos-inc/node"),
    },
  };
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  // Not every package exports its package.json, so it is found by its folder.
  const folders = require.resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return (require(`${folder}/${name}/package.json`) as { version: string }).version;
    } catch {
      // It lies in one of the other folders.
    }
  }
  return "not installed";
}

async function gatewayVersion(): Promise<string> {
  const path = fileURLToPath(new URL("../../dev/gateway/project/package.json", import.meta.url));
  const json = JSON.parse(await readFile(path, "utf8")) as { dependencies: Record<string, string> };
  return json.dependencies["zuplo"] ?? "unknown";
}

export function conditionsLine({ date, command, cpu, cpuCount, memoryGb, system, loadBefore, versions }: Conditions) {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${date}, \`${command}\`, ${cpuCount} × ${cpu}, ${memoryGb} GB, ${system}, load before ${loadBefore}; ${list.join(", ")}.`;
}
