/** The Zuplo project of the benchmark: one handler behind one route for each peer, so that all share one process. */
import { readFile } from "node:fs/promises";
import type { RouteCall } from "./measure.ts";

export const SUBJECTS = ["none", "control", "ours", "durable", "documented", "zuplo"] as const;
export type Subject = (typeof SUBJECTS)[number];

export const SUBJECT_TITLES: Readonly<Record<Subject, string>> = {
  none: "no policy",
  control: "no policy again (control)",
  ours: "ours",
  durable: "ours, `durable`",
  documented: "documented WorkOS policy",
  zuplo: "Zuplo's `AuditLogInboundPolicy`",
};

const POLICIES: Readonly<Record<Subject, readonly string[]>> = {
  none: ["fake-auth"],
  control: ["fake-auth"],
  ours: ["audit-log", "fake-auth"],
  durable: ["audit-log", "fake-auth"],
  documented: ["fake-auth", "documented"],
  zuplo: ["fake-auth", "zuplo-audit"],
};

const HANDLERS = `
import type { ZuploContext, ZuploRequest } from "@zuplo/runtime";

export async function answer(request: ZuploRequest, _context: ZuploContext) {
  return { member: request.params["id"], invited: true };
}

export async function answerGraphql(request: ZuploRequest, _context: ZuploContext) {
  const { variables } = await request.json() as { variables: { id: string } };
  return { data: { renameMember: { id: variables.id } } };
}

export async function fakeAuth(request: ZuploRequest, _context: ZuploContext) {
  request.user = { sub: "user_01GBTCQ2ZZ3KJNYEHWNCE74X7J", data: { orgId: "org_01EHWNCE74X7JSDV0X3SZ3KJNY", role: "admin" } };
  return request;
}
`;

const SETTINGS = {
  qstashUrl: "$env(QSTASH_URL)",
  qstashToken: "$env(QSTASH_TOKEN)",
  workerUrl: "$env(AUDIT_WORKER_URL)",
  ingestKey: "$env(AUDIT_INGEST_KEY)",
  organizationId: "$env(AUDIT_ORGANIZATION_ID)",
};

export function callOf(subject: Subject): RouteCall {
  return { path: `/v1/${subject}/members/m_1`, body: { role: "admin", extra: "x" } };
}

/** The variables of the project; every address is the sink's. */
export function environmentOf(sinkUrl: string): Readonly<Record<string, string>> {
  return {
    QSTASH_URL: sinkUrl,
    QSTASH_TOKEN: "a-token",
    AUDIT_WORKER_URL: sinkUrl,
    AUDIT_INGEST_KEY: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    AUDIT_ORGANIZATION_ID: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
    WORKOS_BASE_URL: sinkUrl,
    WORKOS_API_KEY: "sk_bench",
    // Where Zuplo's own policy posts its events, and the runtime its telemetry.
    __ZUPLO_REMOTE_LOG_URL: sinkUrl,
    ZUPLO_LOG_LEVEL: "error",
  };
}

export function projectFiles(): Promise<Readonly<Record<string, string>>> {
  return filesWith(
    Object.fromEntries(SUBJECTS.map((subject) => [`/v1/${subject}/members/{id}`, { post: operation(subject) }])),
  );
}

/** The files of a project with these routes, the handlers of `modules/bench` and the policies of all peers. */
export async function filesWith(paths: object): Promise<Readonly<Record<string, string>>> {
  return {
    "config/policies.json": JSON.stringify({ policies: policies() }),
    "config/routes.oas.json": JSON.stringify({
      openapi: "3.1.0",
      info: { title: "Benchmark", version: "1.0.0" },
      paths,
    }),
    "modules/bench.ts": HANDLERS,
    "modules/documented.ts": await readFile(new URL("../peers/documented-policy.ts", import.meta.url), "utf8"),
  };
}

function policies() {
  return [
    custom("audit-log", "audit-log", "auditLog", SETTINGS),
    custom("fake-auth", "bench", "fakeAuth"),
    custom("documented", "documented", "documentedPolicy"),
    {
      name: "zuplo-audit",
      policyType: "audit-log-inbound",
      handler: {
        module: "$import(@zuplo/runtime)",
        export: "AuditLogInboundPolicy",
        options: { bucketId: "bucket_bench" },
      },
    },
  ];
}

function custom(name: string, module: string, exported: string, options: object = {}) {
  return {
    name,
    policyType: "custom-code-inbound",
    handler: { module: `$import(./modules/${module})`, export: exported, options },
  };
}

function operation(subject: Subject) {
  return {
    operationId: `${subject}Member`,
    "x-audit": {
      action: "member.invited",
      targets: [{ id: "$params.id", type: "member" }],
      ...(subject === "durable" ? { assurance: "durable" } : {}),
    },
    "x-zuplo-route": {
      corsPolicy: "none",
      handler: { module: "$import(./modules/bench)", export: "answer" },
      policies: { inbound: POLICIES[subject], outbound: [] },
    },
  };
}
