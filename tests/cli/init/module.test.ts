/** The module of a project: whose it is, and whether the gateway finds the policy that an entry names. */
import { format } from "prettier";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeProject, type Project, TWO_ROUTES } from "../support/project.ts";
import { json, runCli } from "../support/run-cli.ts";

const PATH = "modules/audit-log.ts";
const OWN = "// our audit-forwarder experiment\nexport async function auditLog(request) {\n  return request;\n}\n";

let made: Project;
beforeEach(async () => {
  made = await makeProject({ "config/a.oas.json": TWO_ROUTES });
});
afterEach(async () => {
  await made.remove();
});

async function edit(path: string, change: (text: string) => string) {
  const text = await made.read(path);
  expect(change(text)).not.toBe(text);
  await made.write(path, change(text));
}

async function check() {
  const ended = await runCli(["init", made.directory, "--check", "--json"]);
  return { code: ended.code, ...json(ended) };
}

describe("a module that the user wrote", () => {
  test.each([
    ["without the policy", "{}"],
    [
      "with an entry that names it",
      '{"policies":[{"name":"audit-log","policyType":"custom-code-inbound","handler":{"module":"$import(./modules/audit-log)","export":"auditLog","options":{}}}]}',
    ],
  ])("is refused and stays, in a project %s", async (_name, policies) => {
    await made.write("config/policies.json", policies);
    await made.write(PATH, OWN);
    const before = await made.files();
    const { code, stderr } = await runCli(["init", made.directory]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'error[conflict]: "modules/audit-log.ts" was not made by "init"; rename it with its entry in policies.json, or add "--force", which keeps a copy\n',
    });
    expect(await made.files()).toEqual(before);
    const found = await check();
    expect(found).toMatchObject({ code: 1, ok: false });
    expect(found.findings).toContainEqual({
      level: "drift",
      subject: PATH,
      message: expect.stringContaining('was not made by "init"'),
    });
  });

  test("is replaced with --force, and every copy is kept", async () => {
    await made.write(PATH, OWN);
    expect(json(await runCli(["init", made.directory, "--force", "--json"])).files).toContainEqual({
      path: `${PATH}.bak`,
      change: "added",
    });
    expect(await made.read(`${PATH}.bak`)).toBe(OWN);
    await made.write(PATH, `${OWN}// again\n`);
    await runCli(["init", made.directory, "--force"]);
    expect(await made.read(`${PATH}.bak2`)).toBe(`${OWN}// again\n`);
    expect(await check()).toMatchObject({ code: 0, ok: true });
  });
});

test("an edited module is drift, and init keeps a copy of it", async () => {
  await runCli(["init", made.directory]);
  const built = await made.read(PATH);
  await edit(PATH, (text) => `${text}export const mine = 1;\n`);
  expect((await check()).findings).toContainEqual({
    level: "drift",
    subject: PATH,
    message: 'was edited since "init" wrote it; move your code to another module',
  });
  await runCli(["init", made.directory]);
  expect(await made.read(PATH)).toBe(built);
  expect(await made.read(`${PATH}.bak`)).toBe(`${built}export const mine = 1;\n`);
});

test("a module that a formatter rewrote is neither drift nor a change", async () => {
  await runCli(["init", made.directory, "--routes", "writes"]);
  const built = await made.read(PATH);
  const free = built.replaceAll(/^\/\/ prettier-ignore\n/gm, "");
  const options = { parser: "typescript", semi: false, singleQuote: true, tabWidth: 4, printWidth: 60 } as const;
  await made.write(PATH, await format(free, options));
  expect(await check()).toMatchObject({ code: 0, ok: true });
  expect((await runCli(["init", made.directory, "--routes", "writes"])).stdout).toBe("nothing to change\n");
});

describe("init --check names an entry that the gateway cannot run", () => {
  const wrapper = 'import { createAuditLog } from "./audit-log";\nexport const audited = createAuditLog({});\n';
  test.each([
    [
      "another export of our module",
      (text: string) => text.replace('"auditLog"', '"audit"'),
      {},
      'has the export "audit"',
    ],
    [
      "a module that is not there",
      (text: string) => text.replace("./modules/audit-log)", "./modules/mine)"),
      {},
      'names the module "modules/mine.ts", which is not there',
    ],
    [
      "a module that does not build on ours",
      (text: string) => text.replace("./modules/audit-log)", "./modules/mine)"),
      { "modules/mine.ts": OWN },
      'names the module "modules/mine.ts", which does not import "./audit-log"',
    ],
    [
      "an export that the user's module lacks",
      (text: string) => text.replace("./modules/audit-log)", "./modules/mine)"),
      { "modules/mine.ts": wrapper },
      'has the export "auditLog", which "modules/mine.ts" lacks',
    ],
  ])("%s", async (_name, change, files, message) => {
    await runCli(["init", made.directory]);
    await edit("config/policies.json", change);
    for (const [path, text] of Object.entries(files)) await made.write(path, text);
    const { code, findings } = await check();
    expect(code).toBe(1);
    expect(findings).toContainEqual({
      level: "wrong",
      subject: 'config/policies.json: "audit-log"',
      message: expect.stringContaining(message),
    });
  });

  test.each([
    'import { createAuditLog } from "./audit-log";\nexport const auditLog = createAuditLog({});\n',
    'export { auditLog } from "./audit-log";\n',
    'export * from "./audit-log.ts";\n',
    'import mine from "../modules/audit-log";\nexport { mine as auditLog };\n',
  ])("but not a user's module that re-exports ours: %j", async (text) => {
    await runCli(["init", made.directory]);
    await edit("config/policies.json", (policies) => policies.replace("./modules/audit-log)", "./modules/mine)"));
    await made.write("modules/mine.ts", text);
    expect(await check()).toMatchObject({ code: 0, ok: true });
  });
});
