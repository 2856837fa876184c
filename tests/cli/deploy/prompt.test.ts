import { spawn } from "@lydell/node-pty";
import { expect, inject, it } from "vitest";
import { newAccount, ROOT } from "./process.ts";

/** Runs the deploy on a pseudo-terminal and types an answer after each question. */
async function onTerminal(
  env: Readonly<Record<string, string>>,
  answers: readonly string[],
): Promise<{ readonly screen: string }> {
  const terminal = spawn(process.execPath, [inject("cliFile"), "deploy"], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    cols: 200,
  });
  let screen = "";
  let asked = 0;
  const left = [...answers];
  terminal.onData((data) => {
    screen += data;
    const questions = screen.split("(not shown): ").length - 1;
    if (questions <= asked) return;
    asked = questions;
    terminal.write(`${left.shift() ?? ""}\r`);
  });
  await new Promise<void>((resolve) => void terminal.onExit(() => resolve()));
  return { screen };
}

it("asks on a terminal for what is missing, shows nothing that is typed, and asks again after a wrong value", async () => {
  const known = {
    WORKOS_API_KEY: "x",
    QSTASH_TOKEN: "x",
    QSTASH_CURRENT_SIGNING_KEY: "x",
    QSTASH_NEXT_SIGNING_KEY: "x",
  };
  // The second `secret bulk` fails, so that the test ends before the worker is waited for.
  const account = await newAccount({ secrets: { "audit-forwarder-staging": known }, failOnCall: 5 });
  const { screen } = await onTerminal(account.env, [
    "canary",
    "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5",
    "canary_canary_canary_canary",
  ]);
  expect(screen).toContain("AUDIT_INGEST_KEY (not shown): ");
  expect(screen).toContain('"AUDIT_INGEST_KEY" must be "whsec_" and the base64 of 24 bytes or more');
  expect(screen).toContain("AUDIT_ADMIN_TOKEN (not shown): ");
  expect(screen).not.toContain("canary");
  expect((await account.read()).secrets["audit-forwarder-staging"]).toEqual({
    ...known,
    AUDIT_INGEST_KEY: "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5",
    AUDIT_ADMIN_TOKEN: "canary_canary_canary_canary",
  });
});
