/**
 * Every answer of the stand-in, by name. Shapes marked [spec] are examples of the published OpenAPI description (npm
 * `@workos/openapi-spec`); the others name where they were seen, or say that they are a guess.
 */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const JSON_HEADERS = { "content-type": "application/json; charset=utf-8" };
const HTML_HEADERS = { "content-type": "text/html; charset=utf-8" };

/** An answer whose body is JSON. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body: JSON.stringify(body), headers: { ...JSON_HEADERS, ...headers } };
}

function html(status: number, title: string): Answer {
  return {
    status,
    body: `<html><head><title>${title}</title></head><body>${title}</body></html>`,
    headers: HTML_HEADERS,
  };
}

/** [spec] 404 of every endpoint that takes an organization. */
export function organizationNotFound(id: string): Answer {
  return json(404, { message: `Organization not found: '${id}'.` });
}

/** [spec] 400 whose items hold only `instancePath`. */
export function invalidEvent(instancePaths: readonly string[]): Answer {
  return json(400, {
    message: "Invalid Audit Log event.",
    code: "invalid_audit_log_event",
    errors: instancePaths.map((instancePath) => ({ instancePath })),
  });
}

/** 400 with whole ajv errors, `data` included: fixture of workos-kotlin's AuditLogsApiTest, dust-tt/dust#27021. */
export function invalidLog(errors: readonly unknown[]): Answer {
  return json(400, { code: "invalid_audit_log", message: "Invalid Audit Log event", errors });
}

/** [spec] 422; its items have a different shape from those of 400. */
export function validationFailed(errors: readonly { code: string; field: string }[]): Answer {
  return json(422, { message: "Validation failed.", errors });
}

const AJV_ERROR = {
  instancePath: "/targets/0/type",
  schemaPath: "#/properties/targets/allOf/0/contains/properties/type/const",
  keyword: "const",
  params: { allowedValue: "team" },
  message: "must be equal to constant",
  schema: "team",
  parentSchema: { const: "team" },
  data: "person@example.com",
};
const RATE_LIMITED = { message: "Too many requests.", code: "rate_limit_exceeded" };

export const ANSWERS = {
  invalid_audit_log_event: invalidEvent(["/targets"]),
  invalid_audit_log: invalidLog([AJV_ERROR]),
  // [spec] the second alternative of 400: only a message.
  bad_request: json(400, { message: "Audit Log event could not be processed." }),
  // [spec] the export endpoint's 400 has `message` as an array, so a client must not assume a string.
  bad_request_list: json(400, { message: ["event should not be empty"], error: "Bad Request" }),
  // What NestJS answers to a body that is not JSON; the wording is a guess.
  unreadable: json(400, { message: "Unexpected token in JSON", error: "Bad Request", statusCode: 400 }),
  // Status from the docs' error table; the message is a guess.
  unauthorized: json(401, { message: "Unauthorized" }),
  forbidden: json(403, { message: "This API key does not have permission to perform this action." }),
  organization_not_found: organizationNotFound("org_01EHQMYV6MBK39QC5PZXHY59C3"),
  // Not in the spec for events; the SDK maps 409 to ConflictException.
  conflict: json(409, { message: "A request with this idempotency key is in progress.", code: "conflict" }),
  // Not in the spec; seen in the field (dust-tt/dust#26412). The phrase is that of Node's body-parser.
  payload_too_large: json(413, { statusCode: 413, message: "request entity too large" }),
  validation_failed: validationFailed([{ code: "required", field: "event.action" }]),
  // [spec] 429. `Retry-After` is not in the spec, but SDK 10.9 and later read it.
  rate_limited: json(429, RATE_LIMITED),
  rate_limited_retry_after: json(429, RATE_LIMITED, { "retry-after": "2" }),
  // Guesses: a server's plain 5xx, and the answer of a proxy in front of it.
  internal_error: json(500, { message: "Internal server error" }),
  bad_gateway_html: html(502, "502 Bad Gateway"),
  unavailable: json(503, { message: "Service unavailable" }),
  unavailable_html: html(503, "503 Service Temporarily Unavailable"),
  gateway_timeout_html: html(504, "504 Gateway Time-out"),
  // 2xx that are not a success: a captive proxy's page, an empty body, the spec's `success` being false.
  html_200: html(200, "Welcome"),
  empty_200: { status: 200, body: "", headers: {} },
  success_false: json(200, { success: false }),
  redirect: { status: 302, body: "", headers: { location: "/elsewhere" } },
} as const satisfies Readonly<Record<string, Answer>>;

export type AnswerName = keyof typeof ANSWERS;
