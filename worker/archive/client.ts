/** The archive from outside. */
import type { Env } from "../env.ts";

/** The one archive. */
export function archive(env: Pick<Env, "ARCHIVE">) {
  return env.ARCHIVE.getByName("archive");
}
