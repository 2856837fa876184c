/** `dev <zuplo-project>`: the whole path on this machine, with the team's own gateway. A clone has its own stack, an npm script. */
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { AuditError } from "../../shared/errors.ts";
import { workerFile } from "../deploy/worker-files.ts";
import { type ProjectStack, startProjectStack } from "../dev/project-stack.ts";
import { originOf, verifierKeyOf } from "../evidence/key.ts";
import { keyFileIn } from "../evidence/key-file.ts";
import { readValues } from "../init/env-file.ts";
import { readProject, type ZuploProject } from "../init/project.ts";
import { command, type Report } from "../run/command.ts";
import { WrongUse } from "../run/failure.ts";
import { IS_PACKAGE, workerFolder } from "../run/installation.ts";
import type { Io } from "../run/io.ts";
import { writePrivateFile } from "../run/private-file.ts";

/** Inside the folder for generated files, which Git ignores. */
const STATE = join(".audit-forwarder", "dev");
const VARIABLES = "variables.env";
const MAX_PORT = 65_535;

export const dev = command({
  usage: "dev [zuplo-project]",
  about: "Run your gateway on this machine, with a queue, the worker, and a stand-in for WorkOS; needs no account",
  examples: [["dev ./my-api", "keep it running until Ctrl-C; start it again after a change to the project"]],
  options: (yargs) =>
    yargs
      .positional("zuplo-project", {
        type: "string",
        describe: "The project's directory; its packages must be installed",
      })
      .option("gateway-port", { type: "number", default: 9000, describe: "0 chooses a free one, as for the others" })
      .option("queue-port", { type: "number", default: 8080, describe: "The development queue, in place of QStash" })
      .option("worker-port", { type: "number", default: 8787, describe: "The worker and its console" })
      .option("workos-port", { type: "number", default: 8090, describe: "The stand-in for WorkOS" })
      .epilogue(
        "The gateway listens on all interfaces, because Zuplo's development server has no option to change that. Everything else listens on 127.0.0.1. " +
          "The stack keeps its state in the worker's folder.",
      ),

  run: async ({ zuploProject, gatewayPort, queuePort, workerPort, workosPort }, io) => {
    if (!IS_PACKAGE) {
      const how = `the stack on a laptop is an npm script, which installs what it needs (600 MB); run: ${io.suggest("dev")}`;
      throw new WrongUse(how);
    }
    if (zuploProject === undefined) throw new WrongUse('"zuplo-project" is missing; name the project\'s directory');
    const ports = {
      gateway: portOf("gateway-port", gatewayPort),
      queue: portOf("queue-port", queuePort),
      worker: portOf("worker-port", workerPort),
      workos: portOf("workos-port", workosPort),
    };
    const project = await readProject(resolve(zuploProject));
    requirePolicy(project, io);
    const folder = workerFolder();
    const stateDir = join(folder, STATE);
    const main = await workerFile(folder);
    const stack = await startProjectStack({
      projectDir: project.directory,
      projectEnv: Object.fromEntries(readValues(project.env.text)),
      worker: { script: await readFile(main, "utf8"), site: join(dirname(main), "..", "site") },
      ports,
      stateDir,
      onStart: (part) => io.note(`· ${part}`),
      onLine: (line) => {
        if (line.includes("audit-log:")) io.note(line);
      },
    });
    await writeFiles(stateDir, stack);
    return reportOf(stack, stateDir, io);
  },
});

function portOf(name: string, port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= MAX_PORT) return port;
  throw new WrongUse(`"--${name}" must be a port from 0 to ${MAX_PORT}`);
}

function requirePolicy({ directory, module }: ZuploProject, io: Io): void {
  if (module.text !== undefined) return;
  throw new AuditError(
    "not_found",
    `the project has no "${module.path}", so nothing is audited; run: ${io.suggest("init", directory)}`,
  );
}

/** What later commands need: `--secrets-file`, and beside it the verifier key. */
async function writeFiles(stateDir: string, { workerVariables }: ProjectStack): Promise<void> {
  const lines = Object.entries(workerVariables).map(([name, value]) => `${name}=${value}\n`);
  await writePrivateFile(join(stateDir, VARIABLES), lines.join(""));
  const { AUDIT_EVIDENCE_KEY: key = "", AUDIT_WORKER_URL: url = "" } = workerVariables;
  await writePrivateFile(keyFileIn(stateDir), `${verifierKeyOf(key, originOf(url))}\n`);
}

/** Printed once everything is ready. The servers keep the process alive. */
function reportOf(stack: ProjectStack, stateDir: string, io: Io): Report {
  const { gateway, queue, workos, workerVariables } = stack;
  const worker = workerVariables["AUDIT_WORKER_URL"] ?? "";
  const file = relative(process.cwd(), join(stateDir, VARIABLES));
  return {
    json: {
      gateway,
      queue,
      worker,
      workos,
      secrets_file: join(stateDir, VARIABLES),
      key_file: keyFileIn(stateDir),
    },
    lines: [
      io.paint("bold", "Ready. Ctrl-C stops everything."),
      `  gateway  ${gateway}   (all interfaces)`,
      `  console  ${worker}/console   access token: AUDIT_ADMIN_TOKEN in the file below`,
      `  WorkOS   ${workos}/__dev/events   the events that it stored`,
      "",
      `Each other command finds this stack with: --secrets-file ${file}`,
    ],
  };
}
