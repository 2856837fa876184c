import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { json, openTerminal, runCli } from "./support/run-cli.ts";

const [current, older] = [randomBytes(32), randomBytes(40)];
const env = { AUDIT_PSEUDONYM_KEYS: `2026b:${current.toString("base64")},2026a:${older.toString("base64url")}` };

/** Computed here a second time, from what docs/configuration.md says of the format. */
function expected(id: string, key: Buffer, value: string): string {
  return `ps_${id}_${createHmac("sha256", key).update(value).digest().subarray(0, 16).toString("base64url")}`;
}

describe("pseudonym", () => {
  test.each(["ann@example.com", "Zoë 🧑‍🚀", "=1+1"])(
    "of %s stands under each key, the current one first",
    async (value) => {
      const { code, stdout } = await runCli(["pseudonym", value], { env });
      expect({ code, lines: stdout.trimEnd().split("\n") }).toEqual({
        code: 0,
        lines: [expected("2026b", current, value), expected("2026a", older, value)],
      });
    },
  );

  test("of a value from stdin, without its line end, and never echoed", async () => {
    const ended = await runCli(["pseudonym", "--json"], { env, input: "ann@example.com\r\n" });
    expect(json(ended)).toEqual({
      pseudonyms: [
        { key_id: "2026b", current: true, pseudonym: expected("2026b", current, "ann@example.com") },
        { key_id: "2026a", current: false, pseudonym: expected("2026a", older, "ann@example.com") },
      ],
    });
    expect(ended.stdout + ended.stderr).not.toContain("ann@");
  });

  test("without a value on a terminal says what is missing instead of waiting", async () => {
    const terminal = openTerminal(["pseudonym"], { env });
    expect(await terminal.exitCode).toBe(2);
    expect(terminal.screen()).toContain('"value" is missing; name it, or pipe it in');
  });

  test.each<[string, string, number, string]>([
    ["no keys", "", 2, '"AUDIT_PSEUDONYM_KEYS" is not set'],
    ["a key without an id", current.toString("base64"), 1, 'error[invalid_variable]: "AUDIT_PSEUDONYM_KEYS"'],
    ["a short key", "a:c2hvcnQ=", 1, 'error[invalid_variable]: "AUDIT_PSEUDONYM_KEYS"'],
    [
      "two keys of one id",
      `${env.AUDIT_PSEUDONYM_KEYS},2026a:${current.toString("base64")}`,
      1,
      'error[invalid_variable]: "AUDIT_PSEUDONYM_KEYS"',
    ],
  ])("with %s is refused, and no key is shown", async (_name, keys, exitCode, message) => {
    const { code, stdout, stderr } = await runCli(["pseudonym", "x"], { env: { AUDIT_PSEUDONYM_KEYS: keys } });
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain(current.toString("base64").slice(0, 12));
  });
});
