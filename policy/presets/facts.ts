/** What each preset can produce, for schemas and coverage; the policy itself does not use it. */
import type { PresetName } from "./preset.ts";

interface PresetFacts {
  readonly events: readonly { readonly action: string; readonly target: string }[];
  /** Every metadata key with its type. */
  readonly metadata: Readonly<Record<string, "string" | "number">>;
}

export const PRESET_FACTS: Readonly<Record<PresetName, PresetFacts>> = {
  mcp: {
    events: [
      { action: "mcp.tool_called", target: "mcp_tool" },
      { action: "mcp.resource_read", target: "mcp_resource" },
      { action: "mcp.prompt_read", target: "mcp_prompt" },
      { action: "mcp.method_called", target: "route" },
      { action: "mcp.request_refused", target: "route" },
    ],
    metadata: { mcp_method: "string", mcp_session: "string", mcp_error_code: "number", mcp_arguments: "string" },
  },
  graphql: {
    events: [
      { action: "graphql.query", target: "graphql_operation" },
      { action: "graphql.mutation", target: "graphql_operation" },
      { action: "graphql.subscription", target: "graphql_operation" },
    ],
    metadata: { graphql_errors: "number" },
  },
};
