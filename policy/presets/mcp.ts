/**
 * The preset `mcp`: JSON-RPC 2.0 over HTTP as in the Model Context Protocol. Tools, resources and prompts leave a record; protocol
 * traffic leaves one only if it is refused. https://modelcontextprotocol.io/specification
 */
import { outcomeOfStatus, type Metadata, type RequestOutcome } from "../../shared/record.ts";
import { compact } from "../../shared/compact.ts";
import { canonicalJson } from "../json.ts";
import { objectOf, type Seen, textOf } from "../selector.ts";
import type { Reading } from "./reading.ts";

interface Kind {
  readonly action: string;
  readonly target: string;
  /** The parameter that holds the target's id. */
  readonly parameter: string;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "tools/call": { action: "mcp.tool_called", target: "mcp_tool", parameter: "name" },
  "resources/read": { action: "mcp.resource_read", target: "mcp_resource", parameter: "uri" },
  "prompts/get": { action: "mcp.prompt_read", target: "mcp_prompt", parameter: "name" },
};
const OTHER_METHOD = "mcp.method_called";
const REFUSED = "mcp.request_refused";

/** Methods that only maintain the protocol. */
const SILENT =
  /^(initialize|ping|[^/]+\/(templates\/)?list|completion\/complete|logging\/setLevel|tasks\/(get|result)|notifications\/.*)$/;

/** Reads one request; a batch returns one reading per message. */
export function readMcp(seen: Seen): readonly Reading[] {
  const { body, bodyFault, response } = seen;
  const isRefused = response !== undefined && response.status >= 400;
  if (seen.method !== "POST") {
    // A server without streams answers 405 to GET, which is not a refusal.
    const isDenied = outcomeOfStatus(response?.status) === "denied";
    return [{ seen, skip: isDenied ? undefined : "protocol traffic", action: REFUSED, ...plain(seen) }];
  }
  if (bodyFault === "too_large" || bodyFault === "unread") {
    const action = bodyFault === "unread" && isRefused ? REFUSED : OTHER_METHOD;
    return [{ seen, ...plain(seen), action, missing: ["$body"] }];
  }
  if (!Array.isArray(body) || body.length === 0) return [readMessage(body, seen, isRefused)];
  return body.map((message) => readMessage(message, { ...seen, body: message }, isRefused));
}

function plain({ headers }: Seen, method?: unknown): Pick<Reading, "metadata" | "missing"> {
  const session = headers?.get("mcp-session-id") || undefined;
  return { metadata: compact({ mcp_method: textOf(method), mcp_session: session }) as Metadata, missing: [] };
}

function readMessage(message: unknown, whole: Seen, isRefused: boolean): Reading {
  const { jsonrpc, method, id, params, result, error } = objectOf(message);
  const { response } = whole;
  const answer = answerTo(id, response?.body);
  // For a stream or a batch, selectors see the answer to this message.
  const seen = Array.isArray(response?.body) ? { ...whole, response: { ...response, body: answer } } : whole;
  const { metadata } = plain(seen, method);
  const isMessage = jsonrpc === "2.0" && (typeof method === "string" || result !== undefined || error !== undefined);
  const name = typeof method === "string" ? method : undefined;
  const kind = isMessage && name !== undefined && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  const isSilent = isMessage && (name === undefined || SILENT.test(name));
  const targetId = kind && textOf(objectOf(params)[kind.parameter]);
  const { code } = objectOf(objectOf(answer)["error"]);
  return {
    seen,
    skip: isSilent && !isRefused ? "protocol traffic" : undefined,
    action: kind?.action ?? (isMessage && !isSilent ? OTHER_METHOD : REFUSED),
    target: kind && { type: kind.target, id: targetId },
    outcome: outcomeOf(response?.status, answer, isMessage && id === undefined),
    metadata: typeof code === "number" ? { ...metadata, mcp_error_code: code } : metadata,
    ...argumentsOf(params),
    missing: kind && targetId === undefined ? [`$body.params.${kind.parameter}`] : [],
  };
}

/** The text to hash, so that equal calls can be recognized without storing their arguments. */
function argumentsOf(params: unknown): Pick<Reading, "hashed"> {
  const given = objectOf(params)["arguments"];
  try {
    return given === undefined ? {} : { hashed: { mcp_arguments: canonicalJson(given) } };
  } catch {
    // Nested too deeply.
    return {};
  }
}

/**
 * Returns the message that answers an id. A stream or a batch holds several, including the server's own requests, which have a
 * method.
 */
function answerTo(id: unknown, answers: unknown): unknown {
  return [answers].flat().find((answer: unknown) => {
    const { id: answered, method } = objectOf(answer);
    return method === undefined && (answered === id || (id === undefined && answered === null));
  });
}

/** HTTP errors come first, then the answer's content; a missing answer means unknown. */
function outcomeOf(status: number | undefined, answer: unknown, isNotification: boolean): RequestOutcome {
  const byStatus = outcomeOfStatus(status);
  if (byStatus !== "success" || isNotification) return byStatus;
  const { error, result } = objectOf(answer);
  if (error !== undefined || objectOf(result)["isError"] === true) return "failure";
  return result === undefined ? "unknown" : "success";
}

/** True once a stream has the answer to every request in the body, so that the rest need not be read. */
export function isAnswered(body: unknown, answers: readonly unknown[]): boolean {
  const ids = [body].flat().map((message: unknown) => objectOf(message)["id"]);
  return ids.every((id) => id === undefined || answerTo(id, answers) !== undefined);
}
