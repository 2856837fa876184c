/** The presets: protocols in which one route carries many operations. */
import type { Seen } from "../selector.ts";
import { readGraphql } from "./graphql.ts";
import { readMcp } from "./mcp.ts";
import type { Reading } from "./reading.ts";

export type PresetName = "mcp" | "graphql";
export const PRESETS: readonly PresetName[] = ["mcp", "graphql"];

/** Reads a request by its protocol: one reading for each message in it. */
export function readByPreset(preset: PresetName, seen: Seen, skipsQueries: boolean): readonly Reading[] {
  return preset === "mcp" ? readMcp(seen) : readGraphql(seen, skipsQueries);
}
