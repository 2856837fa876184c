import { validateHeaderName, validateHeaderValue } from "node:http";
import { parseExpression } from "./delivery/expression.ts";
import { parseDuration } from "./duration.ts";
import { ApiError } from "./errors.ts";

/** Header names in lower case, each with its values. */
export type Headers = Record<string, string[]>;

export interface FlowControl {
  key: string;
  parallelism?: number | undefined;
  rate?: number | undefined;
  /** Seconds; 1 if only a rate was given. */
  period?: number | undefined;
}

export interface Callback {
  url: string;
  options: Options;
}

/** The publisher's `Upstash-*` options; options that were not given are absent. */
export interface Options {
  method?: string;
  retries?: number;
  retryDelay?: string;
  timeoutMs?: number;
  delayMs?: number;
  /** Milliseconds since 1970. */
  notBefore?: number;
  deduplicationId?: string;
  contentBasedDeduplication?: boolean;
  callback?: Callback;
  failureCallback?: Callback;
  labels?: string[];
  flowControl?: FlowControl;
  redact?: { body: boolean; headers: "all" | string[] };
  /** Headers for the destination, names as Go writes them. */
  header: Headers;
}

export interface Limits {
  /** The plan's cap on `Upstash-Retries`; none by default. */
  maxRetries?: number | undefined;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const LONGEST_PERIOD_S = 604_800;
const FLOW_VALUE_ERROR =
  "Upstash-Flow-Control-Value should be either rate=X or parallelism=Y, or both as comma-separated values";
// Headers of the connection between publisher and queue; they would mislead the destination.
const NEVER_FORWARDED =
  /^(authorization|connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade)$/;

/** Parses the configuration headers of a publish; throws an {@link ApiError} 400 or 412 that names the header. */
export function parseOptions(headers: Headers, limits: Limits): Options {
  const options: Options = { header: forwarded(headers) };
  readDelivery(options, headers, limits);
  readTiming(options, headers);
  readDeduplication(options, headers);
  const callback = readCallback(headers, "upstash-callback", limits);
  if (callback !== undefined) options.callback = callback;
  const failureCallback = readCallback(headers, "upstash-failure-callback", limits);
  if (failureCallback !== undefined) options.failureCallback = failureCallback;
  const labels = list(headers, "upstash-label");
  if (labels.length > 0) options.labels = labels;
  const flowControl = readFlowControl(headers);
  if (flowControl !== undefined) options.flowControl = flowControl;
  const redact = readRedaction(headers);
  if (redact !== undefined) options.redact = redact;
  return options;
}

/** Checks a destination or callback URL; throws an {@link ApiError} 400 that begins with `what`. */
export function checkUrl(url: string, what: string): void {
  if (!/^https?:\/\//i.test(url)) {
    throw new ApiError(400, `${what}: endpoint has invalid scheme, add http:// or https://`);
  }
  if (!URL.canParse(url)) throw new ApiError(400, `${what}: endpoint is not a valid url`);
}

/** Formats a header's name as Go does, which is how QStash lists it: `X-Trace-Id`. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function one(headers: Headers, name: string): string | undefined {
  const value = headers[name]?.at(-1)?.trim();
  return value === "" ? undefined : value;
}

function list(headers: Headers, name: string): string[] {
  return (headers[name] ?? [])
    .flatMap((value) => value.split(","))
    .map((value) => value.trim())
    .filter((value) => value !== "");
}

function whole(headers: Headers, name: string): number | undefined {
  const value = one(headers, name);
  if (value === undefined) return undefined;
  if (!/^\d{1,15}$/.test(value)) throw new ApiError(400, `invalid ${canonicalName(name)}: must be a whole number`);
  return Number(value);
}

function duration(headers: Headers, name: string): number | undefined {
  const value = one(headers, name);
  if (value === undefined) return undefined;
  const ms = parseDuration(value);
  if (ms === undefined) {
    throw new ApiError(400, `invalid ${canonicalName(name)}: must be a number with a unit, such as 10s, 5m, 2h or 1d`);
  }
  return ms;
}

function readDelivery(options: Options, headers: Headers, limits: Limits): void {
  const method = one(headers, "upstash-method")?.toUpperCase();
  if (method !== undefined) {
    if (!METHODS.includes(method))
      throw new ApiError(400, `invalid Upstash-Method: must be one of ${METHODS.join(", ")}`);
    options.method = method;
  }
  const retries = whole(headers, "upstash-retries");
  if (retries !== undefined) {
    if (retries > (limits.maxRetries ?? Infinity)) throw new ApiError(412, "quota maxRetries exceeded");
    options.retries = retries;
  }
  const retryDelay = one(headers, "upstash-retry-delay");
  if (retryDelay !== undefined) {
    options.retryDelay = checkExpression(retryDelay);
  }
  const timeoutMs = duration(headers, "upstash-timeout");
  if (timeoutMs !== undefined) options.timeoutMs = timeoutMs;
}

function checkExpression(text: string): string {
  try {
    parseExpression(text)(0);
    return text;
  } catch (error) {
    throw new ApiError(400, `invalid Upstash-Retry-Delay: ${(error as Error).message}`);
  }
}

function readTiming(options: Options, headers: Headers): void {
  const delayMs = duration(headers, "upstash-delay");
  if (delayMs !== undefined) options.delayMs = delayMs;
  const notBefore = whole(headers, "upstash-not-before");
  if (notBefore !== undefined) options.notBefore = notBefore * 1000;
}

function readDeduplication(options: Options, headers: Headers): void {
  const id = one(headers, "upstash-deduplication-id");
  if (id !== undefined) {
    // Not documented, but seen in production: github.com/superset-sh/superset/pull/3591.
    if (id.includes(":")) throw new ApiError(400, "DeduplicationId cannot contain ':'");
    options.deduplicationId = id;
  }
  if (one(headers, "upstash-content-based-deduplication") === "true") options.contentBasedDeduplication = true;
}

/** A callback has the same options as a publish, with its own prefix in place of `Upstash-`. */
function readCallback(headers: Headers, prefix: string, limits: Limits): Callback | undefined {
  const url = one(headers, prefix);
  if (url === undefined) return undefined;
  checkUrl(url, `invalid ${canonicalName(prefix)} url`);
  const own: Headers = {};
  for (const [name, values] of Object.entries(headers)) {
    if (name.startsWith(`${prefix}-`)) own[`upstash-${name.slice(prefix.length + 1)}`] = values;
  }
  return { url, options: parseOptions(own, limits) };
}

function readFlowControl(headers: Headers): FlowControl | undefined {
  const key = one(headers, "upstash-flow-control-key");
  if (key === undefined) return undefined;
  const flow: FlowControl = { key };
  for (const part of list(headers, "upstash-flow-control-value")) {
    const [, name, value] = /^(\w+)\s*=\s*(\w+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) throw new ApiError(400, FLOW_VALUE_ERROR);
    setFlowValue(flow, name.toLowerCase(), value);
  }
  if (flow.rate === undefined && flow.parallelism === undefined) throw new ApiError(400, FLOW_VALUE_ERROR);
  if (flow.rate !== undefined) flow.period ??= 1;
  return flow;
}

function setFlowValue(flow: FlowControl, name: string, value: string): void {
  if (name === "period") {
    const seconds = (parseDuration(value) ?? 0) / 1000;
    if (seconds < 1 || seconds > LONGEST_PERIOD_S) {
      throw new ApiError(400, "invalid Upstash-Flow-Control-Value: period must be between 1s and 7d");
    }
    flow.period = seconds;
    return;
  }
  if ((name !== "rate" && name !== "parallelism") || !/^[1-9]\d{0,8}$/.test(value)) {
    throw new ApiError(400, FLOW_VALUE_ERROR);
  }
  flow[name] = Number(value);
}

function readRedaction(headers: Headers): Options["redact"] {
  const fields = list(headers, "upstash-redact-fields");
  if (fields.length === 0) return undefined;
  const redact = { body: false, headers: [] as "all" | string[] };
  for (const field of fields) {
    const named = /^headers?\[(.+)\]$/.exec(field)?.[1];
    if (field === "body") redact.body = true;
    // The SDK writes "header", the docs "headers".
    else if (field === "header" || field === "headers") redact.headers = "all";
    else if (named !== undefined) {
      if (redact.headers !== "all") redact.headers.push(canonicalName(named));
    } else {
      throw new ApiError(400, "invalid Upstash-Redact-Fields: must be body, headers or header[name]");
    }
  }
  return redact;
}

function forwarded(headers: Headers): Headers {
  const header: Headers = {};
  const all = one(headers, "upstash-header-forward") === "true";
  for (const [name, values] of Object.entries(headers)) {
    const own = name.startsWith("upstash-forward-") ? name.slice("upstash-forward-".length) : undefined;
    const taken = own ?? (name === "content-type" || (all && !name.startsWith("upstash-")) ? name : undefined);
    if (taken === undefined || taken === "") continue;
    // Authorization is forwarded only with the prefix: without it, it is the publisher's own token.
    if (NEVER_FORWARDED.test(taken) && !(own !== undefined && taken === "authorization")) continue;
    checkHeader(taken, values);
    header[canonicalName(taken)] = values;
  }
  return header;
}

/** A batch carries its headers as JSON, which can hold characters that HTTP cannot. */
function checkHeader(name: string, values: string[]): void {
  try {
    validateHeaderName(name);
    for (const value of values) validateHeaderValue(name, value);
  } catch {
    throw new ApiError(400, `invalid header ${JSON.stringify(name)}: not a name and value that HTTP can carry`);
  }
}
