/** Where `verify --evidence` finds the verifier key without `--key`. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bodiesIn, evidenceOf, LOG, openFolder, someQuarters } from "../../verifier/evidence.ts";
import { json, startCli } from "../support/run-cli.ts";

const quarters = someQuarters(1);
let evidence: ReturnType<typeof openFolder>;
let home: string;

beforeEach(() => {
  evidence = openFolder();
  evidence.write(evidenceOf(quarters).files);
  home = mkdtempSync(join(tmpdir(), "audit-key-"));
});
afterEach(() => {
  evidence.remove();
  rmSync(home, { recursive: true });
});

const verify = (...more: readonly string[]) =>
  startCli(["verify", "--json", "--evidence", evidence.path, ...more], { cwd: home }).ended;
const signed = { grade: "signed", events: bodiesIn(quarters).length };

it("finds it in the current folder", async () => {
  copyFileSync(evidence.key, join(home, "audit-evidence.pub"));
  expect(json(await verify())).toMatchObject(signed);
});

it("finds the one that dev wrote beside the secrets file, before another log's in the current folder", async () => {
  writeFileSync(join(home, "audit-evidence.pub"), `${LOG.line.replace(/^[^+]+/, "other.example.com/evidence")}\n`);
  mkdirSync(join(home, "dev"));
  writeFileSync(join(home, "dev/variables.env"), "");
  copyFileSync(evidence.key, join(home, "dev/audit-evidence.pub"));
  expect(json(await verify("--secrets-file", "dev/variables.env"))).toMatchObject(signed);
});

it("without one names each place where it looked, and the fix", async () => {
  const { code, stderr } = await verify();
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^error\[wrong_use\]: there is no verifier key in "audit-evidence\.pub" or "\S+\/audit-evidence\.pub"; name it with "--key"/,
  );
});

it("trusts no key that lies in a folder of evidence, where it came with the evidence", async () => {
  copyFileSync(evidence.key, join(home, "audit-evidence.pub"));
  copyFileSync(join(evidence.path, "checkpoint"), join(home, "checkpoint"));
  expect((await verify()).code).toBe(2);
  expect(json(await verify("--key", "audit-evidence.pub"))).toMatchObject(signed);
});
