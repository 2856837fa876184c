/** The policy's part of the reference: options, variables, `x-audit`, selectors. */
import { expected, type Rule } from "../../policy/options.ts";
import { OPTIONS_REFERENCE } from "../../policy/options-reference.ts";
import { code, jsonBlock, table } from "./markdown.ts";

/** The options table and each option's example. */
export function policyOptions(): string {
  const rows = OPTIONS_REFERENCE.map(({ name, rule, description, example }) => [
    code(name),
    `${expected(rule)}${fallback(rule)}`,
    description,
    code(JSON.stringify(example)),
  ]);
  return `## Options of the policy

They stand in the policy's entry in \`config/policies.json\`, under \`handler.options\`; \`audit-forwarder init\` writes that entry. A wrong option or a
missing variable never harms the API, except on a route with assurance \`required\`, which refuses: it is named in one line of the log per
isolate, and by \`audit-forwarder init --check\`.

${table(["option", "value", "what it does", "example"], rows)}`;
}

function fallback(rule: Rule): string {
  if ("required" in rule) return "; required";
  return "default" in rule && rule.default !== undefined ? `; default ${code(JSON.stringify(rule.default))}` : "";
}

/** The variables that the options take by `$env(…)`. */
export function gatewayVariables(): string {
  const rows = OPTIONS_REFERENCE.flatMap(({ name, rule, description }) =>
    "variable" in rule && rule.variable !== undefined
      ? [[code(rule.variable), code(name), "required" in rule ? "required" : "optional", description]]
      : [],
  );
  return `## Variables of the gateway

\`audit-forwarder init\` adds them to \`.env\` for local runs. For a deployed environment, set them in the Zuplo project's settings; a new value needs a
new deploy of the gateway.

${table(["variable", "option", "", "meaning"], rows)}`;
}

/** An operation's `x-audit` that uses every field; a test reads it with the policy's own reader. */
export const X_AUDIT = {
  action: "member.role_changed",
  organization: ["$user.data.organizationId", "$user.data.accountId"],
  actor: {
    id: ["$user.data.email", "$user.sub"],
    type: "user",
    name: "$user.data.name?",
    metadata: { plan: "$user.data.plan?" },
  },
  targets: [
    { id: "$params.memberId!", type: "member" },
    { id: "$response.body.team.id", type: "team" },
  ],
  metadata: { role: "$body.role", dry_run: "$query.dryRun?" },
  assurance: "durable",
};

const FIELDS: readonly (readonly [field: string, meaning: string, without: string])[] = [
  [
    "`action`",
    "what happened: `resource.verb`, lower case, registered in WorkOS",
    "the operation id, else method and path",
  ],
  [
    "`organization`",
    "the WorkOS organization whose log it goes to",
    "`organizationId` of the policy; with a required selector, none: the record becomes a dead letter",
  ],
  ["`actor`", "`{id, type, name, metadata}`", "`user.sub` with its `data.name` and `data.role`, else `anonymous`"],
  ["`targets`", "`[{id, type, name, metadata}]`, at most 20", "the route"],
  ["`metadata`", "up to the keys that are free beside ours; joins `defaults.metadata`", "none"],
  ["`assurance`", "`best-effort`, `durable` or `required`", "the policy's option"],
  ["`skip`", "`true`: no record; `x-audit: false` is the same", "`false`"],
];

/** Every kind of selector with an example; a test reads each with the policy's own parser. */
export const SELECTORS: readonly (readonly [selector: string, selects: string])[] = [
  ["$user.sub", "the authenticated caller's id"],
  ["$user.data.email", "anything below the caller's `data`"],
  ['$user.data["https://example.com/org"]', "a name with dots or slashes"],
  ["$params.memberId", "a parameter of the route's path"],
  ["$query.dryRun", "a parameter of the query"],
  ["$header.x-request-source", "a header of the request, in any case"],
  ["$body.member.role", "a field of the request's body: JSON or a form, up to `bodyLimitBytes`"],
  ["$body.items[0].id", "an element of a list; `$body.items.0.id` is the same"],
  ["$response.status", "the status"],
  ["$response.header.location", "a header of the response"],
  ["$response.body.team.id", "a field of the response's body"],
];

/** `x-audit` and the selectors. */
export function meaning(): string {
  return `## What a route means: \`x-audit\`

An OpenAPI operation says in \`x-audit\` what its requests mean. The policy's option \`defaults\` says the same for every route; a field of
the route replaces it, \`metadata\` is joined.

${jsonBlock({ "x-audit": X_AUDIT })}

${table(["field", "meaning", "without it"], FIELDS)}

A value is a literal (text, number, true, false), a selector, or a list of these: the first that resolves is taken.
A text that starts with \`$\` and is no selector is written with \`$$\`.

### Selectors

${table(
  ["selector", "selects"],
  SELECTORS.map(([selector, selects]) => [code(selector), selects]),
)}

A selector takes a scalar; where it finds nothing, or an object or a list, the record names it in \`metadata.missing\`. With \`?\` at its end it may
be absent without a mark. With \`!\` nothing takes its place: a required organization that does not resolve makes a dead letter instead of an
event in another organization's log, and a required \`actor.id\` is \`unknown\` instead of the caller.

Bodies are read as they pass and are never waited for by the response. So the fields of a request's body are missing where the answer leaves
before the body has come: a handler or a policy that answers at once, without reading it and without waiting for anything else. They are
missing too where an earlier policy has read the body, where it is compressed, longer than \`bodyLimitBytes\`, or no JSON and no form.

Credential headers (\`authorization\`, \`cookie\`, \`x-api-key\` and their like) cannot be selected. A value with the name of a secret, a value
below such a name (\`$body.password.value\`, \`$body.tokens[0]\`), and a value with the shape of one, percent-encoded or not, becomes
\`[redacted]\` even where it is selected ([security](security.md)).`;
}

/** `describe`, with the types as the source has them, comments included: the built module leaves those out. */
export function describedInCode(publicTypes: string): string {
  const types = publicTypes
    .slice(publicTypes.indexOf("/** An actor"), publicTypes.indexOf("/** A policy of type"))
    .trim();
  return `### In code

Where selectors are not enough, a module of yours describes the request, and \`config/policies.json\` names that module instead
(\`"module": "$import(./modules/audit)"\`). The name of the policy stays \`audit-log\`; \`audit-forwarder init\` goes on to upgrade the module below it.

\`\`\`ts
${DESCRIBE_EXAMPLE}
\`\`\`

What it is given and what it may say:

\`\`\`ts
${types}
\`\`\``;
}

const DESCRIBE_EXAMPLE = `// modules/audit.ts
import { createAuditLog } from "./audit-log";

export const auditLog = createAuditLog({
  describe({ context, response }) {
    if (response?.status !== 201) return undefined;
    return { action: "report.exported", metadata: { rows: Number(context.custom["rows"] ?? 0) } };
  },
});`;
