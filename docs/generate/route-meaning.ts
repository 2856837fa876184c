/** What a route means: the reference of `x-audit`, its values, selectors, cases and presets, with worked examples. */
import { code, jsonBlock, table } from "./markdown.ts";

/** An operation's `x-audit` that uses every kind of value; a test reads it with the policy's own reader. */
export const X_AUDIT = {
  action: "member.role_changed",
  organization: "$user.data.organizationId",
  actor: {
    id: ["$user.data.email", "$user.sub"],
    type: "user",
    name: "$user.data.name?",
    metadata: { plan: "$user.data.plan?" },
  },
  targets: [
    { id: "$params.memberId!", type: "member" },
    { id: "$response.body.team.id", type: "team", name: "{$params.region}/{$response.body.team.slug}" },
  ],
  metadata: {
    role: "$body.role",
    dry_run: "$query.dryRun?",
    channel: { select: "$header.x-client", map: { web: "browser", ios: "app", android: "app" }, else: "other" },
  },
  assurance: "durable",
};

const FIELDS: readonly (readonly [field: string, meaning: string, without: string])[] = [
  [
    "`action`",
    "What happened: `resource.verb`, lower case, registered in WorkOS. A literal, or a `select` with a `map`: the caller never chooses it.",
    "the operation id, else method and path",
  ],
  [
    "`organization`",
    "The WorkOS organization whose log the event goes to.",
    "`organizationId` of the policy. With a required selector, none: the record becomes a dead letter.",
  ],
  [
    "`actor`",
    "`{id, type, name, metadata}`",
    "`user.sub` with its `data.name`, `data.role`, `act` and client, else `anonymous`",
  ],
  ["`targets`", "`[{id, type, name, metadata, each}]`, at most 20.", "the route"],
  ["`metadata`", "Up to the keys that are free beside ours. It joins `defaults.metadata`.", "none"],
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
    "`mcp` where the handler is `mcpServerHandler`",
  ],
  ["`queries`", '`"skip"` beside the preset `graphql`: queries leave no record, except persisted ones.', "recorded"],
];

/** Every kind of selector with an example; a test reads each with the policy's own parser. */
export const SELECTORS: readonly (readonly [selector: string, selects: string])[] = [
  ["$user.sub", "the authenticated caller's id"],
  ["$user.apiKeyId", "any other scalar directly on the user object"],
  ["$user.data.email", "anything below the caller's `data`"],
  ['$user.data["https://example.com/org"]', "a name with dots or slashes"],
  ["$params.memberId", "a parameter of the route's path, percent-decoded once"],
  ["$query.dryRun", "a parameter of the query; of several values the last"],
  ["$query.tag[0]", "one of several values"],
  ["$header.x-client", "a header of the request, in any case; nothing where it was sent twice"],
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
    "A template. Where one selector does not resolve, the whole value does not. `{{` and `}}` are literal braces.",
  ],
  [
    '{ "select": "$body.op", "map": { "close": "account.closed" }, "else": "account.other" }',
    "The literal for the selected value. Without `else`, a value that the map lacks does not resolve.",
  ],
];

interface WorkedExample {
  readonly title: string;
  readonly text: string;
  readonly xAudit: unknown;
}

/** One for each kind of API; a test reads each with the policy's own reader and runs a request through it. */
export const WORKED_EXAMPLES: readonly WorkedExample[] = [
  {
    title: "REST",
    text: "A member is removed. The event names the member, its team, and how many sessions ended.",
    xAudit: {
      action: "member.removed",
      targets: [
        { type: "member", id: "$params.memberId" },
        { type: "team", id: "$params.teamId" },
      ],
      metadata: { sessions_ended: "$response.body.sessionsEnded?" },
    },
  },
  {
    title: "MCP",
    text: "Tool calls need no configuration where Zuplo's `mcpServerHandler` serves them. In front of a server of your own, name the preset, and select the arguments that you want to see.",
    xAudit: {
      preset: "mcp",
      metadata: { member: "$body.params.arguments.memberId?" },
      cases: [{ when: { "$body.params.name": ["search", "fetch"] }, skip: "read-only tools" }],
    },
  },
  {
    title: "GraphQL",
    text: "Mutations leave an event each, queries none. An answer with `errors` is a failure, whatever its status.",
    xAudit: { preset: "graphql", queries: "skip", metadata: { member: "$body.variables.id?" } },
  },
  {
    title: "JSON-RPC",
    text: "One route, many methods. The answer says how a call ended, because its status is always 200.",
    xAudit: {
      action: "rpc.called",
      metadata: { method: "$body.method?" },
      cases: [
        { when: { "$body.method": ["ping", "rpc.discover"] }, skip: "protocol traffic" },
        {
          when: { "$body.method": "users/delete" },
          action: "user.deleted",
          targets: [{ type: "user", id: "$body.params.id" }],
        },
      ],
      outcome: [
        { when: { "$response.body.error.code": -32001 }, is: "denied" },
        { when: { "$response.body.error": { exists: true } }, is: "failure" },
      ],
    },
  },
  {
    title: "Bulk",
    text: "Each item of a list is its own event. One event with several targets takes `each` in the target instead.",
    xAudit: {
      each: "$body.items",
      action: {
        select: "$item.op",
        map: { remove: "member.removed", invite: "member.invited" },
        else: "member.changed",
      },
      targets: [
        { type: "member", id: "$item.id" },
        { type: "group", each: "$item.groups", id: "$item" },
      ],
    },
  },
];

/** `x-audit`, its values and its examples. */
export function meaning(): string {
  return [reference(), values(), cases(), lists(), presets(), examples()].join("\n\n");
}

function reference(): string {
  return `## What a route means: \`x-audit\`

An OpenAPI operation says in \`x-audit\` what its requests mean. The policy's option \`defaults\` says the same for every route. A field of
the route replaces it, and \`metadata\` is joined.

${jsonBlock({ "x-audit": X_AUDIT })}

${table(["field", "meaning", "without it"], FIELDS)}

A mistake never harms the API. The policy names the route and the field in one line of its log per isolate and applies the rest;
\`audit-forwarder init --check\` names it before you deploy.

### Organizations and actions

An organization from \`$header\`, \`$query\`, \`$body\` or \`$params\` counts only when the request has a signed-in user and the API accepted it
(a status below 400). Otherwise the next entry of the list applies, then \`organizationId\`. So nobody can write into the log of another
organization. \`{ "select": "$header.x-organization", "trustCaller": true }\` lifts this for one value, and \`init --check\` warns of it each time.

An action is a literal or comes from a map. A caller who chose it could forge a registered action, or fill the dead letters with others.`;
}

function values(): string {
  return `### Values

${table(
  ["value", "meaning"],
  VALUES.map(([value, about]) => [code(value), about]),
)}

A text that starts with \`$\` and is no selector is written with \`$$\`. An integer beyond 2^53 keeps its digits and is recorded as text.

### Selectors

${table(
  ["selector", "selects"],
  SELECTORS.map(([selector, selects]) => [code(selector), selects]),
)}

A selector takes a scalar. Where it finds nothing, or an object or a list, the record names it in \`metadata.missing\`. With \`?\` at its end
it may be absent without a mark. With \`!\` nothing takes its place: a required organization that does not resolve makes a dead letter
instead of an event in another organization's log, and a required \`actor.id\` is \`unknown\` instead of the caller.

Bodies are read as they pass, and the response never waits for them. JSON is read whatever the content type says; a form under its own type.
A body that could not be used leaves a mark: \`$body\` in \`metadata.missing\` where it was never read (an earlier policy took it, the answer
left before it arrived, it is chunked and forwarded, or it is neither JSON nor a form), \`body\` in \`metadata.truncated\` where it is longer than
\`bodyLimitBytes\`. Where they are known, \`metadata.body_bytes\` is its length and \`metadata.body_sha256\` its hash. The same goes for the response's
body, with \`response_\` in front.

Credential headers (\`authorization\`, \`cookie\`, \`x-api-key\` and their like) cannot be selected. A value with the name of a secret, a value
below such a name (\`$body.password.value\`, \`$body.tokens[0]\`), and a value with the shape of one, percent-encoded or not, becomes
\`[redacted]\` even where it is selected ([security](security.md)).`;
}

function cases(): string {
  return `### Cases

The first of \`cases\` whose conditions all hold applies. It may hold \`action\`, \`organization\`, \`actor\`, \`targets\`, \`metadata\`, \`outcome\`,
\`each\` and \`skip\`. Its metadata joins the route's; every other field replaces the route's.

${table(
  ["condition", "holds where the selected value"],
  [
    ['`5`, `"text"`, `true`', "equals it as text"],
    ['`[1, "text"]`', "equals any of them"],
    ['`{ "exists": true }`', "is there; `null`, `false`, an object and a list are"],
    ['`{ "min": 1, "max": 9 }`', "is a number in this range, both ends included"],
  ],
)}

The first of \`outcome\` whose conditions hold decides; \`is\` is \`success\`, \`failure\` or \`denied\`. Without a match the status decides: below
400 \`success\`, 401 and 403 \`denied\`, others \`failure\`.

A request that a case skips leaves no record. On a \`required\` route a skip must not depend on the response, because the intent is sent
before it.`;
}

function lists(): string {
  return `### Lists

\`"each": "$body.items"\` leaves a record for each element, at most 20; \`$item\` is the element. \`metadata.batch_index\` counts from 0, and
\`metadata.batch_size\` is the length of the list. The first record has the request's own event id; the others name it in
\`metadata.parent_event_id\`. A longer list is counted in \`metadata.truncated\`. An empty or missing one leaves a single record that names it in
\`metadata.missing\`.

A target with \`each\` becomes one target for each element, up to WorkOS's limit of 20 in all.`;
}

function presets(): string {
  return `### Presets

A preset knows a protocol in which one route carries many operations. Everything else in \`x-audit\` applies on top. In a batch, each message
leaves its own record; \`$body\` is the message and \`$response.body\` its answer.

${table(
  ["request", "record of the preset `mcp`"],
  [
    ["`tools/call`", "`mcp.tool_called` on `mcp_tool` with the tool's name"],
    ["`resources/read`", "`mcp.resource_read` on `mcp_resource` with the URI"],
    ["`prompts/get`", "`mcp.prompt_read` on `mcp_prompt` with the prompt's name"],
    ["`initialize`, `ping`, lists, notifications and other protocol traffic", "none, unless HTTP refuses it"],
    ["protocol traffic that HTTP refuses, and what is no JSON-RPC 2.0", "`mcp.request_refused` on the route"],
    ["any other method", "`mcp.method_called` on the route"],
  ],
)}

The outcome is true: a JSON-RPC error and a tool result with \`isError\` are failures, although their status is 200. The answer may be JSON or
an event stream, which the policy follows for up to 25 s and \`bodyLimitBytes\` without holding up a byte. An answer that it has not seen by
then is \`unknown\`. \`metadata.mcp_arguments\` is a hash of the arguments, so you can recognise equal calls without storing what they said.

The preset \`graphql\` leaves \`graphql.query\`, \`graphql.mutation\` or \`graphql.subscription\` on \`graphql_operation\`, named by its operation. A
persisted query has the id \`persisted:\` and the first 16 digits of its hash. A response with \`errors\` is a failure, and
\`metadata.graphql_errors\` counts them.

### Who acts for whom

Where authentication leaves an \`act\` claim ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693#section-4.1)) in \`user.data.act.sub\`, the actor is
still the user, and \`actor.metadata.acting_party\` names the agent. \`user.data.azp\`, else \`client_id\`, becomes \`actor.metadata.client_id\`. The
option \`omit\` takes both out.

An intent or a watchdog's record may be sent before the caller has signed in. Its actor is then \`anonymous\`, with
\`actor.metadata.known\` = \`before_sign_in\`. If the outcome comes later, its event names the user.`;
}

function examples(): string {
  const sections = WORKED_EXAMPLES.map(
    ({ title, text, xAudit }) => `#### ${title}\n\n${text}\n\n${jsonBlock({ "x-audit": xAudit })}`,
  );
  return ["### Worked examples", ...sections].join("\n\n");
}
