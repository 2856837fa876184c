/** The last scene: seals and proves what was delivered, then detects that somebody changed one event. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { originOf, verifierKeyOf } from "../../cli/evidence/key.ts";
import { keyFileIn } from "../../cli/evidence/key-file.ts";
import { processIo } from "../../cli/run/io.ts";
import { openWorkos } from "../../cli/workos/client.ts";
import { downloadExport } from "../../cli/workos/exports.ts";
import { AuditError } from "../../shared/errors.ts";
import { quarterAt, quarterStartMs } from "../../shared/evidence/quarter.ts";
import type { VerifyResult } from "../../verifier/verify.mjs";
import type { Stack } from "../stack.ts";
import type { StoredEvent } from "../workos/server.ts";
import { runCommand } from "./command.ts";
import type { Printer } from "./print.ts";

/** The result of `verify` before and after the change. */
export interface Proof {
  /** Events of the evidence that WorkOS still holds as delivered. */
  readonly proved: number;
  /** True if `verify` found no problem before the change. */
  readonly isWhole: boolean;
  /** True if `verify` named the changed event and no other. */
  readonly isChangeFound: boolean;
}

const PROGRAM = "audit-forwarder";
/** Older than any demo. */
const SPAN_MS = 3_600_000;
const CHANGED_ACTION = "secret.read";

/** Seals, pulls and verifies WorkOS's events; then changes one event there, and verifies again. */
export async function evidenceScene(stack: Stack, print: Printer): Promise<Proof> {
  const folder = await mkdtemp(join(tmpdir(), "audit-forwarder-evidence-"));
  try {
    return await prove(stack, print, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function prove(stack: Stack, print: Printer, folder: string): Promise<Proof> {
  const { AUDIT_EVIDENCE_KEY: key = "", ...env } = stack.workerVariables;
  const run = async (...words: string[]) => {
    print.step(`${PROGRAM} ${words.join(" ")}`.replaceAll(`${folder}/`, ""));
    const { lines, json } = await runCommand(words, env);
    for (const line of lines) print.lines(`    ${line.replaceAll(`${folder}/`, "")}`);
    return json;
  };
  const keyFile = keyFileIn(folder);
  const evidence = join(folder, "evidence");
  const exported = join(folder, "export.csv");
  await writeFile(keyFile, `${verifierKeyOf(key, originOf(stack.worker.url))}\n`);
  const events = stack.workos.events();
  // Later events, such as that of this pull of copies, belong to the next digest.
  const nowMs = Date.now();
  const since = new Date(nowMs - SPAN_MS).toISOString();
  const until = new Date(nowMs).toISOString();

  print.title("4  The evidence: nobody can change what WorkOS stored without being found");
  print.note("the worker seals what it delivered, as it does every quarter of an hour");
  await stack.worker.scheduled(quarterStartMs(quarterAt(nowMs) + 1));
  await run("evidence", "pull", evidence, "--copies");
  const online = await run("verify", "--since", since, "--until", until, "--key", keyFile);

  const changed = eventToChange(events);
  print.note(`somebody changes who did "${CHANGED_ACTION}" in WorkOS, and an auditor takes an export`);
  await changeActor(stack, changed);
  const organization = env["AUDIT_ORGANIZATION_ID"] ?? "";
  await downloadExport(openWorkos(processIo(env)), { organization, since, until }, exported);
  const offline = await run("verify", "--evidence", evidence, "--key", keyFile, "--export", exported);
  const [before, after] = [online as VerifyResult, offline as VerifyResult];
  return {
    proved: before.found,
    isWhole: before.ok && before.found === events.length && before.uncompared === 0,
    isChangeFound: !after.ok && isOnlyAltered(after, changed),
  };
}

function eventToChange(events: readonly StoredEvent[]): string {
  const found = events.find(({ event }) => event.action === CHANGED_ACTION)?.event.metadata["event_id"];
  if (typeof found !== "string") throw new AuditError("not_found", `WorkOS stored no event "${CHANGED_ACTION}"`);
  return found;
}

async function changeActor({ workos }: Stack, id: string): Promise<void> {
  const body = JSON.stringify({ alter: [{ event_id: id, path: ["actor", "id"], value: "user_somebody_else" }] });
  const response = await fetch(`${workos.url}/__dev/tamper`, { method: "POST", body });
  if (!response.ok) throw new AuditError("internal", `the WorkOS stand-in answered ${response.status} to the change`);
}

function isOnlyAltered({ altered, missing, unexpected, chain }: VerifyResult, id: string): boolean {
  const [only, ...more] = altered;
  const isNamed = only?.event_id === id && only.fields.join() === "/event/actor/id";
  return isNamed && more.length + missing.length + unexpected.length === 0 && chain === "ok";
}
