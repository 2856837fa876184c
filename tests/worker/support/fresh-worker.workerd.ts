/** Runs before each file of the project "workerd". The files share a few processes, but each begins with fresh modules and empty storage. */
import { listDurableObjectIds, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, vi } from "vitest";

vi.resetModules();
beforeAll(async () => {
  await Promise.all(Object.values(env).map(wake));
  await reset();
});
afterAll(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

/** `reset` empties only what is running, so what is idle or was aborted must run again first. */
async function wake(binding: unknown): Promise<void> {
  // The runtime has these classes, but no global names for all of them.
  const kind = Object(binding).constructor?.name;
  if (kind === "R2Bucket") await (binding as R2Bucket).list({ limit: 1 });
  if (kind !== "DurableObjectNamespace") return;
  const namespace = binding as DurableObjectNamespace;
  const ids = await listDurableObjectIds(namespace);
  await Promise.all(ids.map((id) => runInDurableObject(namespace.get(id), () => undefined)));
}
