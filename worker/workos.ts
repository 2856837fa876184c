/** One request to WorkOS. https://workos.com/docs/reference/audit-logs/create-event */
import { WORKOS_TIMEOUT_MS } from "../shared/limits.ts";
import type { Answer } from "../shared/outcome.ts";
import { readBounded } from "./http/body.ts";
import { parseJson, parseJsonBytes } from "./json.ts";
import type { Fetch } from "./qstash/request.ts";
import { TimeLimit } from "./time-limit.ts";
import type { Settings } from "./variables.ts";

/** An answer is a few hundred bytes; a longer one is ignored. Our choice. */
const ANSWER_MAX_BYTES = 65_536;
/** Most errors of one answer that are named. Our choice. */
const MAX_NAMED_ERRORS = 3;

export interface WorkosReply {
  readonly answer: Answer;
  /** Code, instance paths and keywords of an error answer; never its message or data, which can echo the event. */
  readonly detail?: string;
}

const LATE: WorkosReply = { answer: { kind: "timeout" } };

type WorkosSettings = Pick<Settings, "WORKOS_API_KEY" | "WORKOS_BASE_URL">;

/** Sends events of one message: each body under its idempotency key, for at most 15 s, without following redirects. Never throws. */
export function eventSender(settings: WorkosSettings, fetcher: Fetch, now: () => number) {
  const limit = new TimeLimit(WORKOS_TIMEOUT_MS, now);
  return (body: string, key: string): Promise<WorkosReply> => limit.within(send(settings, fetcher, body, key), LATE);
}

async function send(settings: WorkosSettings, fetcher: Fetch, body: string, key: string): Promise<WorkosReply> {
  try {
    const response = await fetcher(`${settings.WORKOS_BASE_URL}/audit_logs/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${settings.WORKOS_API_KEY}`,
        "content-type": "application/json",
        "idempotency-key": key,
      },
      body,
      redirect: "manual",
    });
    const json = await readJson(response);
    const retryAfter = response.headers.get("retry-after");
    const detail = response.ok ? undefined : errorDetail(json);
    return {
      answer: { kind: "response", status: response.status, json, retryAfter },
      ...(detail ? { detail } : {}),
    };
  } catch {
    return { answer: { kind: "network" } };
  }
}

/** Returns the answer as JSON; undefined if it is not JSON, or too long for WorkOS. Reading it counts towards the request's time. */
async function readJson(response: Response): Promise<unknown> {
  const length = response.headers.get("content-length");
  if (length !== null && Number(length) <= ANSWER_MAX_BYTES) return parseJson(await response.text());
  const bytes = await readBounded(response, ANSWER_MAX_BYTES);
  return bytes && parseJsonBytes(bytes);
}

/**
 * Names what WorkOS rejected, from the published error shapes and those seen in the field: `errors` as a list of `{instancePath,
 * keyword}`, `{code, field}` or strings, or as an object of strings by field, and `message` as a list of strings. Of a string, only
 * paths of the event and words of validators pass, because it can quote a value.
 */
export function errorDetail(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { code, errors, message } = json as { code?: unknown; errors?: unknown; message?: unknown };
  const texts = Array.isArray(message) ? message.slice(0, MAX_NAMED_ERRORS).map(safeWords) : [];
  return [safe(code), ...errorItems(errors), ...texts].filter(Boolean).join(" ") || undefined;
}

function errorItems(errors: unknown): readonly string[] {
  if (Array.isArray(errors)) return errors.slice(0, MAX_NAMED_ERRORS).map(errorItem);
  if (typeof errors !== "object" || errors === null) return [];
  return Object.entries(errors)
    .slice(0, MAX_NAMED_ERRORS)
    .map(([field, problems]: [string, unknown]) => {
      const texts = Array.isArray(problems) ? problems : [problems];
      return [safeWords(field), ...texts.slice(0, MAX_NAMED_ERRORS).map(errorItem)].filter(Boolean).join(" ");
    });
}

function errorItem(item: unknown): string {
  if (typeof item === "string") return safeWords(item);
  if (typeof item !== "object" || item === null) return "";
  const { instancePath, keyword, code, field } = item as Record<string, unknown>;
  return [safe(instancePath), safe(keyword), safe(code), safe(field)].filter(Boolean).join(" ");
}

/** A path into the event, with WorkOS's field names. */
const EVENT_PATH =
  /^\/?(?:event|organization_id|action|occurred_at|version|actor|targets|context|metadata)(?:[./[][\w\]./[-]{0,80})?$/;
const VALIDATOR_WORDS = new Set(
  "required missing invalid unknown unexpected type format pattern enum const contains string number boolean array object empty length long short".split(
    " ",
  ),
);

function safeWords(text: unknown): string {
  if (typeof text !== "string") return "";
  const words = text.slice(0, 200).split(/[\s"'`,;:()]+/);
  return words.filter((word) => EVENT_PATH.test(word) || VALIDATOR_WORDS.has(word)).join(" ");
}

/** Accepts only strings that look like a name or a path, so that no value of the event can pass. */
function safe(value: unknown): string {
  return typeof value === "string" && /^[\w./~-]{1,100}$/.test(value) ? value : "";
}
