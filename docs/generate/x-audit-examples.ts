/** Examples of `x-audit` for the reference: one with every kind of value, and one for each kind of API. */

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
    text: "Tool calls need no configuration if Zuplo's `mcpServerHandler` serves them. In front of your own server, name the preset, and select the arguments that you want to see.",
    xAudit: {
      preset: "mcp",
      metadata: { member: "$body.params.arguments.memberId?" },
      cases: [{ when: { "$body.params.name": ["search", "fetch"] }, skip: "read-only tools" }],
    },
  },
  {
    title: "GraphQL",
    text: "Each mutation leaves an event. Queries leave none. An answer with `errors` is a failure, whatever its status.",
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
    text: "Each item of a list is its own event. For one event with several targets, put `each` into the target.",
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
