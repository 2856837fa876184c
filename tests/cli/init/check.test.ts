import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeProject, type Project, TWO_ROUTES } from "../support/project.ts";
import { json, runCli } from "../support/run-cli.ts";

const ROUTE = { handler: {}, policies: { inbound: [] } };

let initialized: Project;
let made: Project;
beforeAll(async () => {
  initialized = await makeProject({ "config/a.oas.json": TWO_ROUTES });
  await runCli(["init", initialized.directory]);
});
beforeEach(async () => {
  made = await makeProject({ "config/a.oas.json": TWO_ROUTES });
});
afterEach(async () => {
  await made.remove();
});
afterAll(() => initialized.remove());

/** Brings what `init` makes of the project, which runs once for all tests. */
async function init() {
  await cp(initialized.directory, made.directory, { recursive: true });
}

async function edit(path: string, change: (text: string) => string) {
  await made.write(path, change(await made.read(path)));
}

async function check(...flags: string[]) {
  const ended = await runCli(["init", made.directory, "--check", "--json", ...flags]);
  return { code: ended.code, ...json(ended) };
}

describe("init --check exits 1 and names", () => {
  test.each([
    [
      "a module that differs",
      "modules/audit-log.ts",
      (text: string) => `${text}console.log(1)\n`,
      "modules/audit-log.ts",
    ],
    ["an entry that is gone", "config/policies.json", () => '{"policies":[]}', "config/policies.json"],
    [
      "a route that is no longer audited",
      "config/a.oas.json",
      (text: string) => text.replace('"audit-log", ', ""),
      "GET /teams",
    ],
    [
      "a policy that is not first",
      "config/a.oas.json",
      (text: string) => text.replace('"audit-log", "auth"', '"auth", "audit-log"'),
      "GET /teams",
    ],
    ["a variable that is gone", ".env", (text: string) => text.replace(/^QSTASH_TOKEN=.*\n/m, ""), "QSTASH_TOKEN"],
  ])("%s", async (_name, path, change, subject) => {
    await init();
    await edit(path, change);
    const { code, ok, findings } = await check();
    expect({ code, ok }).toEqual({ code: 1, ok: false });
    expect(findings).toContainEqual(
      expect.objectContaining({ level: "drift", subject: expect.stringContaining(subject) }),
    );
    expect((await runCli(["init", made.directory, "--check"])).stdout).toContain(subject);
  });

  test.each(["all", "writes"])(
    "a route that is no longer audited, with the command that adds it: %s",
    async (routes) => {
      await runCli(["init", made.directory, "--routes", routes]);
      await edit("config/a.oas.json", (text) => text.replaceAll('"audit-log"', '"other"'));
      const message = `is not audited; to add it, run: npx audit-forwarder init ${made.directory} --routes ${routes}`;
      expect((await check()).findings).toContainEqual(expect.objectContaining({ level: "drift", message }));
      await runCli(["init", made.directory, "--routes", routes]);
      expect(await check()).toMatchObject({ code: 0, ok: true });
    },
  );

  test.each([
    [
      "a wrong option",
      "config/policies.json",
      (text: string) => text.replace("500", "5"),
      "budgetMs",
      "must be a whole number from 10 to 10000; 500 is used",
    ],
    [
      "an option that is none",
      "config/policies.json",
      (text: string) => text.replace('"budgetMs"', '"budget"'),
      "budget",
      "is not an option",
    ],
    [
      "a malformed variable",
      ".env",
      (text: string) => text.replace("AUDIT_INGEST_KEY=", "AUDIT_INGEST_KEY=secret"),
      "ingestKey",
      'must be "whsec_" and base64',
    ],
    [
      "a field of pseudonyms that is none",
      "config/policies.json",
      (text: string) => text.replace('"budgetMs"', '"pseudonymize": ["actor.id", "actorId"], "budgetMs"'),
      "pseudonymize",
      'has "actorId", which is neither a field nor a selector',
    ],
    [
      "pseudonyms without keys",
      "config/policies.json",
      (text: string) => text.replace('"budgetMs"', '"pseudonymize": ["$user.sub"], "budgetMs"'),
      "AUDIT_PSEUDONYM_KEYS",
      'must be "id:key,…"',
    ],
    [
      "a wrong x-audit",
      "config/a.oas.json",
      (text: string) => text.replace('"get": {', '"get": { "x-audit": { "acton": "a.b" },'),
      "GET /teams (config/a.oas.json)",
      "x-audit.acton",
    ],
    [
      "a selector of a credential",
      "config/a.oas.json",
      (text: string) =>
        text.replace('"get": {', '"get": { "x-audit": { "metadata": { "k": "$header.authorization" } },'),
      "GET /teams (config/a.oas.json)",
      "$header.authorization",
    ],
  ])("%s", async (_name, path, change, subject, message) => {
    await init();
    await edit(path, change);
    const { code, findings } = await check();
    expect(code).toBe(1);
    expect(findings).toContainEqual({ level: "wrong", subject, message: expect.stringContaining(message) });
    expect(JSON.stringify(findings)).not.toContain("secret");
  });

  test("each part of `x-audit` that cannot work, with its route", async () => {
    const audited = (xAudit: object) => ({ "x-zuplo-route": ROUTE, "x-audit": xAudit });
    const paths = {
      "/item": { "x-audit": { action: "item.read" }, get: { "x-zuplo-route": ROUTE } },
      "/action": { get: audited({ action: "réunion.read" }), put: audited({ action: "a".repeat(201) }) },
      "/choice": { get: audited({ action: { select: "$query.op", map: { a: "fine.name", b: "two words" } } }) },
      "/params/{id}": { get: audited({ targets: [{ type: "team", id: "$params.teamId" }] }) },
      "/target": { post: audited({ targets: [{ type: "team" }] }) },
      "/body": { get: audited({ metadata: { plan: "$body.plan" } }) },
    };
    await made.write("config/a.oas.json", JSON.stringify({ openapi: "3.1.0", paths }));
    await runCli(["init", made.directory]);
    const { code, findings } = await check();
    const wrong = (route: string, text: string) => ({
      level: "wrong",
      subject: `${route} (config/a.oas.json)`,
      message: expect.stringContaining(text),
    });
    expect(code).toBe(1);
    expect(findings.filter(({ level }: { level: string }) => level !== "note")).toEqual([
      wrong("GET /action", 'x-audit: the action "réunion.read" must be letters'),
      wrong("PUT /action", "is longer than 200 characters"),
      wrong("GET /choice", 'x-audit: the action "two words" must be letters'),
      wrong("GET /params/{id}", 'x-audit: "$params.teamId" is not a parameter of the path /params/{id}'),
      wrong("POST /target", 'x-audit: "targets" has a target without "id"'),
      wrong("GET /body", 'x-audit: "$body.plan" never resolves, because GET and HEAD have no body'),
      wrong("/item", 'has "x-audit" beside its operations'),
    ]);
  });

  test("everything, in a project without the policy, and writes nothing", async () => {
    const before = await made.files();
    const { code, findings } = await check();
    expect(code).toBe(1);
    expect(findings.map(({ subject }: { subject: string }) => subject)).toEqual([
      "modules/audit-log.ts",
      "config/policies.json",
      "GET /teams (config/a.oas.json)",
      "POST /teams (config/a.oas.json)",
      ".env",
    ]);
    expect(await made.files()).toEqual(before);
  });
});

describe("init --check exits 0", () => {
  test("where only writing routes were chosen, without being told again", async () => {
    await runCli(["init", made.directory, "--routes", "writes"]);
    expect(await check()).toMatchObject({ code: 0, routes: { audited: 1, total: 2 } });
    expect(await check("--routes", "all")).toMatchObject({ code: 1 });
  });

  test("with a warning of a caller who chooses the organization, and of an action that is a UUID", async () => {
    const trusting = { organization: { select: "$header.x-org", trustCaller: true } };
    const operations = {
      get: { "x-zuplo-route": ROUTE, "x-audit": trusting },
      post: { "x-zuplo-route": ROUTE, operationId: "0b7e7d4a-1f5a-4c39-9a53-2d6f9c1f0a11" },
    };
    await made.write("config/a.oas.json", JSON.stringify({ openapi: "3.1.0", paths: { "/teams": operations } }));
    await runCli(["init", made.directory]);
    const { code, ok, findings } = await check();
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(findings.filter(({ level }: { level: string }) => level !== "note")).toEqual([
      {
        level: "warning",
        subject: "GET /teams (config/a.oas.json)",
        message: expect.stringContaining('x-audit: "organization" trusts the caller: whoever sends "$header.x-org"'),
      },
      {
        level: "warning",
        subject: "POST /teams (config/a.oas.json)",
        message: expect.stringContaining('x-audit: "action" is a UUID'),
      },
    ]);
  });

  test("with a note where a variable has no value", async () => {
    await init();
    const { code, findings } = await check();
    expect(code).toBe(0);
    expect(findings).toContainEqual(expect.objectContaining({ level: "note", subject: "QSTASH_TOKEN" }));
    expect(findings).not.toContainEqual(expect.objectContaining({ subject: "AUDIT_ORGANIZATION_ID" }));
  });

  test.each(['{ "skip": true }', "false"])("where a route says itself that it is not audited: %s", async (xAudit) => {
    await init();
    await edit("config/a.oas.json", (text) =>
      text.replace('"get": {', `"get": { "x-audit": ${xAudit},`).replace('"audit-log", ', ""),
    );
    expect(await check()).toMatchObject({ code: 0, routes: { audited: 1, total: 2 } });
  });

  test.each(["all", "writes"])(
    "where Git wrote the files with the line ends of Windows, --routes %s",
    async (choice) => {
      await runCli(["init", made.directory, "--routes", choice]);
      const crlf = (text: string) => text.replaceAll("\n", "\r\n");
      for (const path of ["modules/audit-log.ts", "config/a.oas.json", "config/policies.json", ".env"])
        await edit(path, crlf);
      expect(await check()).toMatchObject({ code: 0, ok: true });
      expect((await runCli(["init", made.directory])).stdout).toBe("nothing to change\n");
    },
  );

  test("where the entry names a module of the user's that builds on ours, as for `describe`", async () => {
    await init();
    await edit("config/policies.json", (text) => text.replace("./modules/audit-log)", "./modules/audit)"));
    const mine = 'import { createAuditLog } from "./audit-log";\nexport const auditLog = createAuditLog({});\n';
    await made.write("modules/audit.ts", mine);
    expect(await check()).toMatchObject({ code: 0, ok: true });
    await edit("modules/audit-log.ts", () => "// Made by `audit-forwarder init`, an older one\n");
    const again = await runCli(["init", made.directory, "--json"]);
    expect(json(again).files).toEqual([{ path: "modules/audit-log.ts", change: "changed" }]);
  });

  test("with a note where there is no .env at all, as in CI", async () => {
    await init();
    await rm(join(made.directory, ".env"));
    const { code, findings } = await check();
    expect({ code, findings }).toEqual({
      code: 0,
      findings: [{ level: "note", subject: ".env", message: expect.any(String) }],
    });
  });
});
