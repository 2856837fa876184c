import { writeFile } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { parse } from "jsonc-parser";
import { makeProject, type Project, TWO_ROUTES } from "../support/project.ts";
import { json, openTerminal, runCli } from "../support/run-cli.ts";

const projects: Project[] = [];
async function project(files?: Record<string, string>): Promise<Project> {
  const made = await makeProject(files);
  projects.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(projects.splice(0).map((made) => made.remove()));
});

interface OpenApi {
  readonly paths: Record<string, Record<string, { "x-zuplo-route": { policies?: { inbound?: string[] } } }>>;
}

/** Every inbound list of an OpenAPI file, by `METHOD /path`. */
function inbound(text: string): Record<string, string[]> {
  const { paths } = parse(text) as OpenApi;
  return Object.fromEntries(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => [
        `${method.toUpperCase()} ${path}`,
        operation["x-zuplo-route"].policies?.inbound ?? [],
      ]),
    ),
  );
}

const route = (inner: string) => `{"x-zuplo-route":{"handler":{}${inner}}}`;

describe("init on Zuplo's own template", () => {
  test("adds the module, the entry with its defaults, the policy to each route, and the variables", async () => {
    const { directory, read } = await project();
    const { code, stdout } = await runCli(["init", directory]);
    expect(code).toBe(0);
    expect(stdout).toContain("wrote 4 files");
    expect(await read("modules/audit-log.ts")).toContain("audit-forwarder");
    const [entry] = JSON.parse(await read("config/policies.json")).policies;
    expect(entry).toMatchObject({
      name: "audit-log",
      policyType: "custom-code-inbound",
      handler: { module: "$import(./modules/audit-log)", export: "auditLog" },
    });
    expect(entry.handler.options).toMatchObject({
      assurance: "best-effort",
      budgetMs: 500,
      watchdogMs: 20_000,
      maxRecords: 20,
    });
    expect(entry.handler.options.coalesceMs).toBeTypeOf("number");
    expect(inbound(await read("config/routes.oas.json"))).toEqual({
      "GET /todos": ["audit-log"],
      "POST /todos": ["audit-log"],
      "PUT /todos/{id}": ["audit-log"],
      "DELETE /todos/{id}": ["audit-log"],
    });
    expect((await read(".env")).split("\n").map((line) => line.split("=")[0])).toEqual([
      "QSTASH_URL",
      "QSTASH_TOKEN",
      "AUDIT_WORKER_URL",
      "AUDIT_INGEST_KEY",
      "AUDIT_ORGANIZATION_ID",
      "",
    ]);
  });

  test("running it twice changes nothing, and --check then finds nothing", async () => {
    const { directory, files } = await project();
    await runCli(["init", directory]);
    const before = await files();
    const again = await runCli(["init", directory]);
    expect(again).toMatchObject({ code: 0, stdout: "nothing to change\n" });
    expect(await files()).toEqual(before);
    const check = await runCli(["init", directory, "--check", "--json"]);
    expect(check.code).toBe(0);
    expect(json(check)).toMatchObject({ ok: true, routes: { audited: 4, total: 4 } });
  });

  test("upgrades the module alone when it runs again", async () => {
    const { directory, files, write } = await project();
    await runCli(["init", directory]);
    const before = await files();
    await write("modules/audit-log.ts", "// Made by `audit-forwarder init`, an older one\n");
    const again = await runCli(["init", directory, "--json"]);
    expect(json(again).files).toEqual([{ path: "modules/audit-log.ts", change: "changed" }]);
    expect(await files()).toEqual(before);
  });
});

describe("--routes", () => {
  test.each([
    ["all", { "GET /teams": ["audit-log", "auth"], "POST /teams": ["audit-log", "auth"] }],
    ["writes", { "GET /teams": ["auth"], "POST /teams": ["audit-log", "auth"] }],
    ["none", { "GET /teams": ["auth"], "POST /teams": ["auth"] }],
  ])("%s puts the policy first in the routes it names", async (choice, expected) => {
    const { directory, read } = await project({
      "config/a.oas.json": TWO_ROUTES,
      "config/policies.json": '{"policies":[]}',
    });
    await runCli(["init", directory, "--routes", choice]);
    expect(inbound(await read("config/a.oas.json"))).toEqual(expected);
  });

  test("a later run leaves the routes alone, and adds more only where it is told to", async () => {
    const { directory, read } = await project({ "config/a.oas.json": TWO_ROUTES });
    await runCli(["init", directory, "--routes", "writes"]);
    await runCli(["init", directory]);
    expect(inbound(await read("config/a.oas.json"))["GET /teams"]).toEqual(["auth"]);
    expect(await read("modules/audit-log.ts")).toMatch(/^\/\/ routes: writes$/m);
    await runCli(["init", directory, "--routes", "all"]);
    expect(await read("modules/audit-log.ts")).not.toContain("// routes:");
    expect(inbound(await read("config/a.oas.json"))["GET /teams"]).toEqual(["audit-log", "auth"]);
  });

  test("keeps a byte order mark at the start of a file", async () => {
    const { directory, read } = await project({
      "config/a.oas.json": `\uFEFF${TWO_ROUTES}`,
      "config/policies.json": '\uFEFF{"policies":[]}',
    });
    expect(await runCli(["init", directory])).toMatchObject({ code: 0, stderr: "" });
    const [routes, policies] = [await read("config/a.oas.json"), await read("config/policies.json")];
    expect([routes[0], policies[0]]).toEqual(["\uFEFF", "\uFEFF"]);
    expect(inbound(routes.slice(1))["GET /teams"]).toEqual(["audit-log", "auth"]);
    expect(JSON.parse(policies.slice(1)).policies).toHaveLength(1);
  });

  test("reaches every OpenAPI file, routes without policies, and several methods in one key", async () => {
    const { directory, read } = await project({
      "config/a.oas.json": `{"paths":{"/a":{"get":${route("")},"post":${route(',"policies":{}')}}}}`,
      "config/b.oas.json": `{"paths":{"/b":{"x-zuplo-path":{"pathMode":"url-pattern"},"get,put":${route(',"policies":{"inbound":[]}')}}}}`,
      "config/c.oas.json": '{"paths":{"/c":{"get":{"operationId":"no-route"}}}}',
    });
    await runCli(["init", directory, "--routes", "writes"]);
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => read(`config/${name}.oas.json`)));
    expect(inbound(a ?? "")).toEqual({ "GET /a": [], "POST /a": ["audit-log"] });
    expect(JSON.parse(b ?? "").paths["/b"]["get,put"]["x-zuplo-route"].policies.inbound).toEqual(["audit-log"]);
    expect(c).toBe('{"paths":{"/c":{"get":{"operationId":"no-route"}}}}');
  });
});

describe("the variables", () => {
  test.each([
    ["kept as they are", "QSTASH_TOKEN=tok-secret\nOTHER=1\n", /^QSTASH_TOKEN=tok-secret\nOTHER=1\nQSTASH_URL=/],
    ["after a last line without an end", "OTHER=1", /^OTHER=1\nQSTASH_URL=/],
    [
      "with the line ends of the file",
      "OTHER=1\r\n",
      /^OTHER=1\r\nQSTASH_URL=https:\/\/qstash\.upstash\.io\r\nQSTASH_TOKEN=\r\n/,
    ],
    [
      "known behind export and quotes",
      'export QSTASH_URL="https://eu"\n',
      /^export QSTASH_URL="https:\/\/eu"\nQSTASH_TOKEN=/,
    ],
    [
      "known behind a byte order mark, as Zuplo reads them",
      "\uFEFFQSTASH_URL=https://eu\n",
      /^\uFEFFQSTASH_URL=https:\/\/eu\nQSTASH_TOKEN=/,
    ],
    ["not taken from a comment", "# QSTASH_URL=x\n", /^# QSTASH_URL=x\nQSTASH_URL=/],
  ])("are added to .env, %s", async (_name, text, expected) => {
    const { directory, read } = await project({ "config/a.oas.json": TWO_ROUTES, ".env": text });
    await runCli(["init", directory]);
    expect(await read(".env")).toMatch(expected);
  });

  test("are never shown with what the user has there", async () => {
    const { directory } = await project({ "config/a.oas.json": TWO_ROUTES, ".env": "QSTASH_TOKEN=tok-secret" });
    const shown = await runCli(["init", directory, "--dry-run"]);
    expect(shown.stdout).toContain("AUDIT_WORKER_URL");
    expect(shown.stdout + shown.stderr).not.toContain("tok-secret");
  });
});

describe("what is shown and asked", () => {
  test("--dry-run shows the changes and writes nothing", async () => {
    const { directory, files } = await project();
    const before = await files();
    const { code, stdout } = await runCli(["init", directory, "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/add modules\/audit-log\.ts/);
    expect(stdout).toMatch(/\+ +"inbound": \["audit-log"\]/);
    expect(await files()).toEqual(before);
  });

  test("on a terminal it shows, asks, and writes only after a yes", async () => {
    const { directory, files } = await project();
    const before = await files();
    const refused = openTerminal(["init", directory]);
    await refused.shows("[y/N]");
    expect(refused.screen()).toContain("audit-log");
    refused.write("n\r");
    expect(await refused.exitCode).toBe(1);
    expect(refused.screen()).toContain("nothing was changed");
    expect(await files()).toEqual(before);

    const agreed = openTerminal(["init", directory]);
    await agreed.shows("[y/N]");
    agreed.write("y\r");
    expect(await agreed.exitCode).toBe(0);
    expect(Object.keys(await files())).toContain("modules/audit-log.ts");
  });

  test("Ctrl-C at the question writes nothing", async () => {
    const { directory, files } = await project();
    const before = await files();
    const terminal = openTerminal(["init", directory]);
    await terminal.shows("[y/N]");
    terminal.write("\u0003");
    expect(await terminal.exitCode).not.toBe(0);
    expect(await files()).toEqual(before);
  });

  test("colours are for terminals, and not with NO_COLOR", async () => {
    const { directory } = await project();
    const args = ["init", directory, "--dry-run"];
    const coloured = openTerminal(args);
    await coloured.exitCode;
    expect(coloured.screen()).toContain("\u001B[32m");
    const plain = openTerminal(args, { env: { NO_COLOR: "1" } });
    await plain.exitCode;
    expect(plain.screen()).not.toContain("\u001B[32m");
    expect((await runCli(args)).stdout).not.toContain("\u001B");
  });
});

test("writes all files or none", async () => {
  const { directory, files, read } = await project({ "config/a.oas.json": TWO_ROUTES });
  await writeFile(`${directory}/modules`, "in the way of the directory");
  const before = await files();
  const { code } = await runCli(["init", directory]);
  expect(code).toBe(1);
  expect(await files()).toEqual(before);
  expect(await read("config/a.oas.json")).toBe(TWO_ROUTES);
});
