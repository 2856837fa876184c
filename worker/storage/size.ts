/** How large a Durable Object's database may grow. */
import { OBJECT_MAX_BYTES } from "../../shared/limits.ts";
import type { Env } from "../env.ts";
import { parseSettings } from "../variables.ts";

/** Size at which a Durable Object is full, in bytes. */
export function objectMaxBytes(env: Env): number {
  const parsed = parseSettings(env);
  return parsed.ok ? parsed.settings.AUDIT_OBJECT_MAX_BYTES : OBJECT_MAX_BYTES;
}
