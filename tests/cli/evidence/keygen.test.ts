/** `evidence keygen`: the key fits the worker, and the verifier key fits the key. */
import { expect, it } from "vitest";
import { verifierKeyOf } from "../../../cli/evidence/key.ts";
import { runCli } from "../support/run-cli.ts";

it("makes a new key each time, with the verifier key of its log", async () => {
  const env = { AUDIT_WORKER_URL: "https://audit.example.com" };
  const made = await Promise.all([
    runCli(["evidence", "keygen", "--json"], { env }),
    runCli(["evidence", "keygen", "--json"], { env }),
  ]);
  const [one, other] = made.map(
    ({ stdout }) => JSON.parse(stdout) as { key: string; origin: string; verifier_key: string },
  );
  expect(one?.key).toMatch(/^evk_[A-Za-z0-9_-]{43}$/);
  expect(one?.key).not.toBe(other?.key);
  expect(one?.origin).toBe("audit.example.com/evidence");
  expect(one?.verifier_key).toBe(verifierKeyOf(one?.key ?? "", "audit.example.com/evidence"));
  expect(one?.verifier_key).toMatch(/^audit\.example\.com\/evidence\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/);
});

it("has the published verifier key of a published seed", () => {
  // https://pkg.go.dev/golang.org/x/mod/sumdb/note#example-Sign
  const seed = Buffer.from("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz", "base64").subarray(1);
  expect(verifierKeyOf(`evk_${seed.toString("base64url")}`, "PeterNeumann")).toBe(
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  );
});

it.each([
  ["no worker and no name", [], {}],
  ["a name with a space", ["--origin", "a b"], {}],
])("refuses %s", async (_, args, env) => {
  expect(await runCli(["evidence", "keygen", ...args], { env })).toMatchObject({ code: 2, stdout: "" });
});
