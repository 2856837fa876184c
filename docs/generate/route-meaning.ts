/** What a route means: the reference of `x-audit`, its values, selectors, cases and presets, with worked examples. */
import { code, jsonBlock, table } from "./markdown.ts";
import { WORKED_EXAMPLES, X_AUDIT } from "./x-audit-examples.ts";

const FIELDS: readonly (readonly [field: string, meaning: string, without: string])[] = [
  [
    "`action`",
    "What happened: `resource.verb`, lower case, registered in WorkOS. A literal, or a `select` with a `map`, so that the caller never chooses it.",
    "the operation id, or else method and path",
  ],
  [
    "`organization`",
    "The WorkOS organization whose log the event goes to.",
    "`organizationId` of the policy. With a required selector, none: the record becomes a dead letter.",
  ],
  [
    "`actor`",
    "`{id, type, name, metadata}`",
    "`user.sub` with its `data.name`, `data.role`, `act` and client, or else `anonymous`",
  ],
  ["`targets`", "`[{id, type, name, metadata, each}]`, at most 20.", "the route"],
  ["`metadata`", "As many keys as ours leave free. It is merged with `defaults.metadata`.", "none"],
  ["`assurance`", "`best-effort`, `durable` or `required`.", "the policy's option"],
  ["`skip`", "Why the route leaves no record, as text. `true` and `x-audit: false` skip without a reason.", "`false`"],
  ["`cases`", "What some requests of the route mean: see [Cases](#cases).", "none"],
  ["`outcome`", "How to read the outcome from the response: see [Cases](#cases).", "the status decides"],
  ["`each`", "A list that leaves one record for each element: see [Lists](#lists).", "one record"],
  [
    "`unreadable`",
    '`"refuse"` on a `required` route: a request whose body cannot be read is refused with 422 before the handler runs.',
    "the record is marked",
  ],
  [
    "`preset`",
    "`mcp` or `graphql`: see [Presets](#presets). `none` turns off the preset of Zuplo's MCP server.",
    "`mcp` if the handler is `mcpServerHandler`",
  ],
  ["`queries`", '`"skip"` with the preset `graphql`: queries leave no record, except persisted ones.', "recorded"],
];

/** Every kind of selector with an example; a test reads each with the policy's own parser. */
export const SELECTORS: readonly (readonly [selector: string, selects: string])[] = [
  ["$user.sub", "the authenticated caller's id"],
  ["$user.apiKeyId", "any other scalar directly on the user object"],
  ["$user.data.email", "anything below the caller's `data`"],
  ['$user.data["https://example.com/org"]', "a name with dots or slashes"],
  ["$params.memberId", "a parameter of the route's path, percent-decoded once"],
  ["$query.dryRun", "a parameter of the query; the last of several values"],
  ["$query.tag[0]", "one of several values"],
  ["$header.x-client", "a header of the request, in upper or lower case; nothing if it was sent twice"],
  ["$body.member.role", "a field of the request's body: JSON or a form, up to `bodyLimitBytes`"],
  ["$body.items[0].id", "an element of a list; `$body.items.0.id` is the same"],
  ["$response.status", "the status"],
  ["$response.header.location", "a header of the response"],
  ["$response.body.team.id", "a field of the response's body"],
];

const VALUES: readonly (readonly [value: string, meaning: string])[] = [
  ['"text"', "A literal. A number, `true` and `false` are literals too."],
  ['"$body.a.b"', "A selector."],
  ['["$user.data.email", "$user.sub"]', "The first that resolves."],
  [
    '"{$params.owner}/{$params.repo}"',
    "A template. If one selector does not resolve, the whole value does not. `{{` and `}}` are literal braces.",
  ],
  [
    '{ "select": "$body.op", "map": { "close": "account.closed" }, "else": "account.other" }',
    "The literal for the selected value. Without `else`, a value that is not in the map does not resolve.",
  ],
];

/** `x-audit`, its values and its examples. */
export function meaning(): string {
  return [reference(), values(), cases(), lists(), presets(), examples()].join("\n\n");
}

function reference(): string {
  return `## What a route means: \`x-audit\`

The field \`x-audit\` of an OpenAPI operation says what its requests mean. The policy's option \`defaults\` holds the same fields for all
routes. A field of the route replaces the default, except \`metadata\`, which is merged with it.

${jsonBlock({ "x-audit": X_AUDIT })}

${table(["field", "meaning", "without it"], FIELDS)}

A mistake never harms the API. The policy logs the route and the field once per isolate, and applies the rest. Run
\`audit-forwarder init --check\` to find mistakes before you deploy.

### Organizations and actions

An organization from \`$header\`, \`$query\`, \`$body\` or \`$params\` counts only if the request has a signed-in user and the API accepted it
(a status below 400). Otherwise the next entry of the list applies, and then \`organizationId\`. So nobody can write into the log of another
organization. \`{ "select": "$header.x-organization", "trustCaller": true }\` turns this off for one value. \`init --check\` warns about each.

An action is a literal or comes from a map. If callers could choose it, they could forge a registered action, or fill the dead letters.`;
}

function values(): string {
  return `### Values

${table(
  ["value", "meaning"],
  VALUES.map(([value, about]) => [code(value), about]),
)}

Write \`$$\` for a text that starts with \`$\` but is not a selector. An integer beyond 2^53 keeps its digits and is recorded as text.

### Selectors

${table(
  ["selector", "selects"],
  SELECTORS.map(([selector, selects]) => [code(selector), selects]),
)}

A selector selects a scalar. If it finds nothing, an object or a list, the record lists it in \`metadata.missing\`. The mark at its end
changes that:

- \`?\`: it is optional, and its absence is not listed.
- \`!\`: it is required, and no default takes its place. Without a required organization, the record becomes a dead letter, not an event in
  another organization's log. Without a required \`actor.id\`, the actor is \`unknown\`, not the caller.

The policy reads bodies as they pass, and the response never waits for them. It reads JSON under any content type, and a form under its own.
A record marks a body that the policy could not use:

- \`$body\` in \`metadata.missing\`: the policy never read it. An earlier policy consumed it, the response left before it arrived, it is
  chunked and forwarded, or it is neither JSON nor a form.
- \`body\` in \`metadata.truncated\`: it is longer than \`bodyLimitBytes\`.

\`metadata.body_bytes\` is its length and \`metadata.body_sha256\` its hash, if they are known. For the response's body, these names start
with \`response_\`.

You cannot select credential headers (\`authorization\`, \`cookie\`, \`x-api-key\` and similar ones). A selected value becomes \`[redacted]\` if
it has the name of a secret, is below such a name (\`$body.password.value\`, \`$body.tokens[0]\`), or looks like a secret, percent-encoded
or not ([security](security.md)).`;
}

function cases(): string {
  return `### Cases

The first entry of \`cases\` whose conditions all hold applies. It can have \`action\`, \`organization\`, \`actor\`, \`targets\`, \`metadata\`,
\`outcome\`, \`each\` and \`skip\`. Its metadata is merged with the route's. Every other field replaces the route's.

${table(
  ["condition", "holds if the selected value"],
  [
    ['`5`, `"text"`, `true`', "equals it as text"],
    ['`[1, "text"]`', "equals any of them"],
    ['`{ "exists": true }`', "exists; `null`, `false`, an object and a list do"],
    ['`{ "min": 1, "max": 9 }`', "is a number in this range, both ends included"],
  ],
)}

The first entry of \`outcome\` whose conditions all hold decides the outcome. \`is\` is \`success\`, \`failure\` or \`denied\`. If none matches,
the status decides: \`success\` below 400, \`denied\` for 401 and 403, \`failure\` for all others.

A request that a case skips leaves no record. On a \`required\` route, a skip must not depend on the response, because the intent is sent
before the response exists.`;
}

function lists(): string {
  return `### Lists

\`"each": "$body.items"\` leaves one record for each of the first 20 elements. \`$item\` is the element, \`metadata.batch_index\` its number
from 0, and \`metadata.batch_size\` the length of the list. The first record has the request's own event id. The others name it in
\`metadata.parent_event_id\`. If the list is longer, \`metadata.truncated\` counts the rest. If it is empty or missing, one record lists it in
\`metadata.missing\`.

A target with \`each\` becomes one target for each element, up to WorkOS's limit of 20 in total.`;
}

function presets(): string {
  return `### Presets

A preset reads a protocol in which one route carries many operations. The other fields of \`x-audit\` apply on top of it. In a batch, each
message leaves its own record: \`$body\` is the message, and \`$response.body\` its answer.

${table(
  ["request", "record of the preset `mcp`"],
  [
    ["`tools/call`", "`mcp.tool_called` on `mcp_tool` with the tool's name"],
    ["`resources/read`", "`mcp.resource_read` on `mcp_resource` with the URI"],
    ["`prompts/get`", "`mcp.prompt_read` on `mcp_prompt` with the prompt's name"],
    ["`initialize`, `ping`, lists, notifications and other protocol traffic", "none, unless HTTP refuses it"],
    ["protocol traffic that HTTP refuses, and anything that is not JSON-RPC 2.0", "`mcp.request_refused` on the route"],
    ["any other method", "`mcp.method_called` on the route"],
  ],
)}

The outcome comes from the answer, not from its status: a JSON-RPC error and a tool result with \`isError\` are failures, although their status
is 200. The answer can be JSON or an event stream. The policy follows a stream for up to 25 s and \`bodyLimitBytes\`, and delays none of it. If
the answer has not come by then, the outcome is \`unknown\`. \`metadata.mcp_arguments\` is a hash of the arguments, so that you can recognize
equal calls without storing their arguments.

The preset \`graphql\` records \`graphql.query\`, \`graphql.mutation\` or \`graphql.subscription\` on a \`graphql_operation\` with the operation's
name. The id of a persisted query is \`persisted:\` and the first 16 digits of its hash. A response with \`errors\` is a failure, and
\`metadata.graphql_errors\` counts them.

### Who acts for whom

If authentication leaves an \`act\` claim ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693#section-4.1)) in \`user.data.act.sub\`, the actor is
still the user, and \`actor.metadata.acting_party\` names the agent. \`user.data.azp\`, or else \`user.data.client_id\`, becomes
\`actor.metadata.client_id\`. The option \`omit\` removes both.

An intent or a watchdog's record may be sent before the caller has signed in. Its actor is then \`anonymous\`, with
\`actor.metadata.known\` = \`before_sign_in\`. If the outcome comes later, its event names the user.`;
}

function examples(): string {
  const sections = WORKED_EXAMPLES.map(
    ({ title, text, xAudit }) => `#### ${title}\n\n${text}\n\n${jsonBlock({ "x-audit": xAudit })}`,
  );
  return ["### Worked examples", ...sections].join("\n\n");
}
