/** The operations that Zuplo's own MCP server offers. https://zuplo.com/docs/handlers/mcp-server Pure. */
import { posix } from "node:path";
import * as z from "zod";

interface OfferedTool {
  /** The OpenAPI file, relative to the project, such as `config/routes.oas.json`. */
  readonly file: string;
  readonly operationId: string;
}

const Deprecated = z
  .array(z.looseObject({ path: z.string(), operationIds: z.array(z.string()).optional() }))
  .optional();
const Handler = z.looseObject({
  export: z.literal("mcpServerHandler"),
  options: z
    .looseObject({
      operations: z.array(z.looseObject({ file: z.string(), id: z.string() })).optional(),
      files: Deprecated,
      prompts: Deprecated,
      resources: Deprecated,
    })
    .optional()
    .catch(undefined),
});
const Served = z.looseObject({ "x-zuplo-route": z.looseObject({ handler: Handler }) });

/** Returns what an operation's MCP server offers, in the order of the file; undefined if it is not an MCP server. */
export function toolsOf(operation: Readonly<Record<string, unknown>>): readonly OfferedTool[] | undefined {
  const served = Served.safeParse(operation);
  if (!served.success) return undefined;
  const {
    operations = [],
    files = [],
    prompts = [],
    resources = [],
  } = served.data["x-zuplo-route"].handler.options ?? {};
  const listed = [...files, ...prompts, ...resources].flatMap(({ path, operationIds = [] }) =>
    operationIds.map((id) => ({ file: path, id })),
  );
  return [...operations, ...listed].map(({ file, id }) => ({ file: posix.normalize(file), operationId: id }));
}
