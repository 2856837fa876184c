/** URLs of this worker, current and former. Gateway, queue and worker may spell the same URL differently. */
import { baseUrl } from "../shared/base-url.ts";
import type { Settings } from "./variables.ts";

export type WorkerUrlSettings = Pick<Settings, "AUDIT_WORKER_URL" | "AUDIT_WORKER_URL_PREVIOUS">;

/** Returns true if `given` is the URL of `path` at this worker, by its current URL or a former one. */
export function isWorkerUrl(given: unknown, path: string, settings: WorkerUrlSettings): boolean {
  // Usually they are spelled alike, and parsing costs more than comparing.
  if (given === `${settings.AUDIT_WORKER_URL}${path}`) return true;
  const url = typeof given === "string" ? baseUrl(given) : undefined;
  if (url === undefined) return false;
  const own = [settings.AUDIT_WORKER_URL, ...(settings.AUDIT_WORKER_URL_PREVIOUS ?? [])];
  return own.some((base) => baseUrl(`${base}${path}`) === url);
}
