/** The built policy in bare workerd, with a stub instead of Zuplo's runtime. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { Pool } from "undici";
import { buildPolicy } from "../../policy/build.ts";
import { AuditError } from "../../shared/errors.ts";
import { cpuMicros } from "../process-cpu.ts";
import { startWorkerd } from "../workerd.ts";
import { GATEWAY_ENVIRONMENT } from "../workload.ts";
import { MAX_RECORDS, type Subject } from "./loop.ts";

/** The newest date that the workerd of Zuplo 7.6.4 knows. Later ones replace the timers with Node's, which cost more. */
const GATEWAY_RUNTIME = { compatibilityDate: "2024-12-30", compatibilityFlags: ["nodejs_compat"] };

export interface Isolate {
  /** CPU in µs for each of `count` requests, of the whole process. */
  measure(subject: Subject, selectors: boolean, count: number): Promise<number>;
  stop(): Promise<void>;
}

/** Longer than records wait for one another and look whether they are out, so that the work after the last response is counted too. */
const REST_MS = 400;

export async function startIsolate(): Promise<Isolate> {
  const workerd = await startWorkerd([{ name: "policy", script: await bundle() }], GATEWAY_RUNTIME);
  const pool = new Pool(workerd.urls[0] ?? "", { connections: MAX_RECORDS });
  return {
    async measure(subject, selectors, count) {
      const path = `/?subject=${subject}&selectors=${selectors ? 1 : 0}&count=${count}`;
      const before = await cpuMicros(workerd.pids);
      if (subject === "loop" || subject === "capture") await ask(pool, path);
      else await askOften(pool, path, count);
      return ((await cpuMicros(workerd.pids)) - before) / count;
    },
    async stop() {
      await pool.close();
      await workerd.stop();
    },
  };
}

async function askOften(pool: Pool, path: string, count: number): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await ask(pool, path);
  };
  await Promise.all(Array.from({ length: MAX_RECORDS }, lane));
  await sleep(REST_MS);
}

async function ask(pool: Pool, path: string): Promise<void> {
  const { statusCode, body } = await pool.request({ method: "GET", path });
  const text = await body.text();
  if (statusCode !== 200) throw new AuditError("internal", `the policy's isolate answered ${statusCode}: ${text}`);
}

async function bundle(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bench-policy-"));
  try {
    const { path } = await buildPolicy(folder);
    const loop = fileURLToPath(new URL("./loop.ts", import.meta.url));
    const { outputFiles } = await build({
      stdin: {
        contents: `import { auditLog } from ${JSON.stringify(path)}; import { serve } from ${JSON.stringify(loop)}; export default serve(auditLog);`,
        resolveDir: folder,
      },
      bundle: true,
      write: false,
      format: "esm",
      target: "es2022",
      plugins: [runtimeStub],
    });
    return outputFiles[0]?.text ?? "";
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const runtimeStub: Plugin = {
  name: "runtime-stub",
  setup(builder) {
    builder.onResolve({ filter: /^@zuplo\/runtime$/ }, ({ path }) => ({ path, namespace: "stub" }));
    builder.onLoad({ filter: /.*/, namespace: "stub" }, () => ({
      contents: `export const environment = ${JSON.stringify(GATEWAY_ENVIRONMENT)};`,
    }));
  },
};
