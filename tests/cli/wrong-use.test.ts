import { describe, expect, it, test } from "vitest";
import { json, runCli, startCli } from "./support/run-cli.ts";

/** Set, so that only the command line can be wrong; nothing listens there. */
const env = {
  AUDIT_WORKER_URL: "http://127.0.0.1:9",
  AUDIT_ADMIN_TOKEN: "token",
  AUDIT_PSEUDONYM_KEYS: "x",
  WORKOS_API_KEY: "sk",
};
const ID = "019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a07";

describe("exit 2, one line, and no call", () => {
  test.concurrent.each<[string, string]>([
    ["", "a command is needed"],
    ["nonsense", "Unknown argument: nonsense"],
    ["puase", "Did you mean pause?"],
    ["pause now", "Unknown argument: now"],
    ["pause --force", "Unknown argument: force"],
    ["doctor --secrets-file", "Not enough arguments following: secrets-file"],
    ["dead-letters replay --resume", "Not enough arguments following: resume"],
    ["resume x", "Unknown argument: x"],
    ["init", '"zuplo-project" is missing'],
    ["init a b", "Unknown argument: b"],
    ["init a --routes some", "Invalid values: Argument: routes"],
    ["init a --check --yes", "mutually exclusive"],
    ["init a --check --dry-run", "mutually exclusive"],
    ["schemas", '"schemas" needs one of its commands'],
    ["schemas check a b", "Unknown argument: b"],
    ["schemas push a --dry-run --yes", "mutually exclusive"],
    ["schemas check /nowhere", '"/nowhere" is not a directory'],
    ["verify x", "Unknown argument: x"],
    ["verify --since 1h --until 2h", '"--since" must be before "--until"'],
    ["verify --since soon", '"--since" must be an ISO 8601 time'],
    ["trace", '"id" is missing'],
    ["pseudonym a b", "Unknown argument: b"],
    ["dead-letters", '"dead-letters" needs one of its commands'],
    ["dead-letters lsit", "Did you mean list?"],
    ["dead-letters list extra", "Unknown argument: extra"],
    ["dead-letters list --class broken", "Invalid values: Argument: class"],
    ["dead-letters list --state lost", "Invalid values: Argument: state"],
    ["dead-letters list --group-by colour", "Invalid values: Argument: group-by"],
    ["dead-letters list --group-by class --limit 5", "mutually exclusive"],
    ["dead-letters list --limit 0", '"--limit" must be a whole number from 1 to 500'],
    ["dead-letters list --limit 501", '"--limit" must be a whole number from 1 to 500'],
    ["dead-letters list --limit many", '"--limit" must be a whole number from 1 to 500'],
    ["dead-letters list --status ok", '"--status" must be an HTTP status such as 503, or none'],
    [
      "dead-letters list --since yesterday",
      '"--since" must be an ISO 8601 time with a zone, or an age such as 2h or 3d',
    ],
    ["dead-letters list --since 2026-02-30", '"--since" must be an ISO 8601 time'],
    ["dead-letters list --since 2026-02-03T04:05:06", '"--since" must be an ISO 8601 time with a zone'],
    ["dead-letters list --until 3y", '"--until" must be'],
    ["dead-letters list --since 1h --until 2h", '"--since" must be before "--until"'],
    ["dead-letters list --action a --action b", '"--action" is given twice'],
    ["dead-letters show", '"event-id" is missing'],
    ["dead-letters discard a", '"--reason" must have 1 to 500 characters'],
    ["dead-letters discard --reason x", 'name event ids or a filter, or add "--all"'],
    [`dead-letters discard a --reason ${"x".repeat(501)}`, '"--reason" must have 1 to 500 characters'],
    ["dead-letters replay --yes", 'name event ids or a filter, or add "--all"'],
    ["dead-letters replay --all", 'a replay without a terminal needs "--yes"'],
    [`dead-letters replay ${ID}`, 'a replay without a terminal needs "--yes"'],
    [`dead-letters replay ${ID} --all --yes`, 'event ids, filters and "--all" exclude one another'],
    [`dead-letters replay ${ID} --class rejected --yes`, 'event ids, filters and "--all" exclude one another'],
    ["dead-letters replay --all --class rejected --yes", 'event ids, filters and "--all" exclude one another'],
    ["dead-letters replay --all --yes --dry-run", "mutually exclusive"],
    ["dead-letters replay --all --yes --rate 0", '"--rate" must be a number from 0.1 to 500'],
    ["dead-letters replay --all --yes --rate 501", '"--rate" must be a number from 0.1 to 500'],
    ["dead-letters replay --all --yes --rate fast", '"--rate" must be a number from 0.1 to 500'],
    ["dead-letters replay --all --yes --stop-on-error-rate 2", '"--stop-on-error-rate" must be a number from 0 to 1'],
    [`dead-letters replay --all --yes --name ${"x".repeat(101)}`, '"--name" must have 1 to 100 characters'],
    ["dead-letters replay --all --yes --set action", '"--set" must be action=<value> or organization=<value>'],
    ["dead-letters replay --all --yes --set actor=x", '"--set" must be action=<value> or organization=<value>'],
    ["dead-letters replay --all --yes --set action=", '"--set" must be action=<value> or organization=<value>'],
    ["dead-letters replay --all --yes --set action=a --set action=b", '"--set action=" is given twice'],
    ["dead-letters replay --all --yes --drop action", '"--drop" must be metadata.<key>'],
    ["dead-letters replay --all --yes --map /nowhere.json", 'the file of "--map" cannot be read'],
    ["dead-letters replay --all --yes --map package.json", 'the file of "--map" must be an object of "action"'],
    ["dead-letters replay --all --yes --map README.md", 'the file of "--map"'],
    ["dead-letters replay --resume rp_1 --all", "mutually exclusive"],
    ["dead-letters replay --resume rp_1 --rate 5", "mutually exclusive"],
    [`dead-letters replay ${ID} --resume rp_1`, '"--resume" takes the id of a replay and no event ids'],
    ["dead-letters export --format xml", "Invalid values: Argument: format"],
    ["dead-letters export --json", '"--json" needs "--output"'],
    ["dead-letters import /nowhere.jsonl", '"/nowhere.jsonl" cannot be read'],
    ["dead-letters import cli", '"cli" cannot be read'],
    ["preview my-api", '"operation" is missing'],
    ["verify --requests README.md --coverage /nowhere.json", '"/nowhere.json" does not exist'],
  ])("%s", async (line, message) => {
    const { code, stdout, stderr } = await runCli(line.split(" ").filter(Boolean), { env });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^error\[wrong_use\]: [^\n]+\n$/);
    expect(stdout).toBe(line.includes("--json") ? stdout : "");
    expect(code).toBe(2);
  });
});

it.each([
  ["lsit", ""],
  ["trace", "trace "],
  ["replays", "replays "],
  ["replays lsit", "replays "],
  ["dead-letters show", "dead-letters show "],
  ["dead-letters list --colour red", "dead-letters list "],
])("%j names the help of the innermost command that it has", async (line, command) => {
  const { stderr } = await runCli(line.split(" "), { env });
  expect(stderr).toMatch(new RegExp(`; see "npx audit-forwarder ${command}--help"\n$`));
});

describe("the environment", () => {
  test.each<[string, Record<string, string>, string]>([
    ["without a URL", { AUDIT_ADMIN_TOKEN: "t" }, '"AUDIT_WORKER_URL" is not set'],
    ["without a token", { AUDIT_WORKER_URL: "http://127.0.0.1:9" }, '"AUDIT_ADMIN_TOKEN" is not set'],
    ["with a URL that is none", { AUDIT_WORKER_URL: "worker", AUDIT_ADMIN_TOKEN: "t" }, "is not an http or https URL"],
    ["with another protocol", { AUDIT_WORKER_URL: "ftp://w", AUDIT_ADMIN_TOKEN: "t" }, "is not an http or https URL"],
    [
      "with a token that would travel in clear",
      { AUDIT_WORKER_URL: "http://w.example", AUDIT_ADMIN_TOKEN: "t" },
      "must be https",
    ],
  ])("%s is wrong use", async (_name, variables, message) => {
    const { code, stderr } = await runCli(["dead-letters", "list"], { env: variables });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });

  test("without a URL, an import of a file that does not exist is wrong use as well, and no crash", async () => {
    const { code, stderr } = await startCli(["dead-letters", "import", "/nowhere.jsonl"]).ended;
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error\[wrong_use\]: [^\n]+\n$/) });
  });

  test("with --json the failure is a document as well", async () => {
    const ended = await runCli(["dead-letters", "list", "--json"]);
    expect(json(ended)).toEqual({ error: { code: "wrong_use", message: expect.stringContaining("AUDIT_WORKER_URL") } });
    expect(ended.code).toBe(2);
  });
});

describe("--help", () => {
  test("names the variables and the exit codes", async () => {
    const { stdout } = await runCli(["--help"]);
    for (const name of ["AUDIT_WORKER_URL", "AUDIT_ADMIN_TOKEN", "WORKOS_API_KEY", "AUDIT_PSEUDONYM_KEYS"])
      expect(stdout).toContain(name);
    expect(stdout).toContain("0 done, 1 failed, 2 wrong use");
  });

  test.concurrent.each([
    "",
    "init",
    "trace",
    "pause",
    "resume",
    "pseudonym",
    "completion",
    "doctor",
    "verify",
    "schemas",
    "schemas check",
    "schemas push",
    "dead-letters",
    ...["list", "show", "replay", "discard", "export", "import"].map((name) => `dead-letters ${name}`),
  ])("%s explains itself, names --json, and exits 0", async (line) => {
    const { code, stdout, stderr } = await runCli([...line.split(" ").filter(Boolean), "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`audit-forwarder ${line}`.trim());
    expect(stdout).toContain("--json");
  });
});
