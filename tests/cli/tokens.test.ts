/** `tokens create`: a token that nobody can guess, and an entry that lets it in. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseTokens } from "../../shared/access-tokens.ts";
import { json, runCli } from "./support/run-cli.ts";

const create = (...args: string[]) => runCli(["tokens", "create", ...args], { env: {} });

describe("tokens create", () => {
  test("prints the token once, and an entry with its hash that the worker accepts", async () => {
    const ended = await create("--name", "ann", "--role", "operate", "--expires", "2099-01-31", "--json");
    const { token, entry } = json(ended) as { token: string; entry: Record<string, string> };
    expect(token).toMatch(/^aft_[A-Za-z0-9_-]{43}$/);
    const sha256 = createHash("sha256").update(token).digest("hex");
    expect(entry).toEqual({ name: "ann", role: "operate", sha256, expires: "2099-01-31" });
    expect(parseTokens(JSON.stringify([entry]))).toEqual([entry]);
    expect(JSON.stringify(ended).split(token)).toHaveLength(2);
  });

  test("prints for people the list in both spellings", async () => {
    const { code, stdout } = await create("--name", "ci", "--role", "read");
    expect(code).toBe(0);
    const lists = [/AUDIT_TOKENS is: (.+)/, /base64url: (.+)/].map((line) => parseTokens(line.exec(stdout)?.[1] ?? ""));
    expect(lists[0]).toEqual([expect.objectContaining({ name: "ci", role: "read" })]);
    expect(lists[1]).toEqual(lists[0]);
    expect(/^token: (.+)$/m.exec(stdout)?.[1]).toHaveLength(47);
  });

  test.each<[string, string[], string]>([
    ["no name", ["--role", "read"], "name"],
    ["an empty name", ["--name", "", "--role", "read"], '"--name" must be 1 to 100 characters'],
    ["no role", ["--name", "ann"], "role"],
    ["an unknown role", ["--name", "ann", "--role", "root"], "role"],
    ["a day that is none", ["--name", "ann", "--role", "read", "--expires", "31.1.2099"], '"--expires" must be a day'],
    ["a day that is over", ["--name", "ann", "--role", "read", "--expires", "2020-01-31"], "must not be in the past"],
  ])("with %s is wrong use and prints no token", async (_, args, message) => {
    const { code, stdout, stderr } = await create(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout).not.toContain("aft_");
  });
});
