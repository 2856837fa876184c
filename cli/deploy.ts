/** The entry of `npm run deploy`: puts the worker on Cloudflare. Exit 0 done, 1 failed, 2 wrong use. */
import { fileURLToPath } from "node:url";
import yargs from "yargs";
import { runDoctor, waitForWorker } from "./deploy/after.ts";
import { askSecret } from "./deploy/prompt.ts";
import { deploy, type Deployed, type DeployOptions } from "./deploy/run.ts";
import { readSecretsFile } from "./deploy/secrets-file.ts";
import { stepLines, type Step } from "./deploy/step.ts";
import { SECRETS } from "./deploy/variables.ts";
import { wranglerOf } from "./deploy/wrangler.ts";
import { failureOf, WrongUse } from "./run/failure.ts";
import { processIo } from "./run/io.ts";
import { DEPLOY_PROGRAM } from "./run/suggestion.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const CLI = fileURLToPath(new URL("main.ts", import.meta.url));
const { note, suggest } = processIo();
const line = process.argv.slice(2);

const parser = yargs()
  .scriptName(DEPLOY_PROGRAM)
  .usage("$0 [options]\n\nPuts the worker on Cloudflare: secrets, upload, doctor. Run it again at any time.")
  .option("env", {
    choices: ["staging", "production"] as const,
    default: "staging" as const,
    describe: "Environment of wrangler.toml",
  })
  .option("secrets-file", { type: "string", requiresArg: true, describe: "A .env file with the worker's secrets" })
  .option("directory", {
    type: "boolean",
    default: false,
    describe: 'Create and bind the KV namespace "DIRECTORY" if it is missing',
  })
  .option("dry-run", {
    type: "boolean",
    default: false,
    describe: "Bundle for real, print the rest; needs no account and no network",
  })
  .option("plan", {
    choices: ["free", "payg", "fixed"] as const,
    default: "free" as const,
    describe: "Your plan of QStash, for doctor",
  })
  .option("json", { type: "boolean", default: false, describe: "Print one JSON document instead of text" })
  .epilogue(
    `Secrets: ${Object.keys(SECRETS).join(", ")}. A required one that is neither in the file nor on the worker is asked for. ` +
      `None is ever put on a command line.\nCloudflare: "${suggest("wrangler", "login")}", or CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID.`,
  )
  .example("$0 --env staging --dry-run", "show what would be done")
  .example("$0 --env production --secrets-file ~/audit-production.env", "deploy")
  .locale("en")
  .strict()
  .alias("help", "h")
  .version(false)
  .showHelpOnFail(false)
  .exitProcess(false)
  .fail((message, error) => {
    // yargs throws its own complaints too, under a name of its own.
    if (error && error.name !== "YError") throw error;
    throw new WrongUse(`${message.replaceAll(/\s*\n\s*/g, "; ")}; see "${suggest("deployHelp")}"`);
  });

// A reader such as `head` may close the pipe early; the deploy goes on.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

function print(text: string): void {
  process.stdout.write(text.endsWith("\n") || text === "" ? text : `${text}\n`);
}

async function main(options: DeployOptions, plan: string, json: boolean, secretsFile?: string): Promise<Deployed> {
  const io = processIo(process.env, secretsFile);
  const onStep = (step: Step): void => (json ? undefined : print(stepLines(step, io).join("\n")));
  return deploy(options, {
    root: ROOT,
    wrangler: wranglerOf(ROOT, process.env),
    io,
    ask: (name) => askSecret(`${name} (not shown): `),
    waitForWorker,
    doctor: async (env) => {
      const file = secretsFile === undefined ? [] : ["--secrets-file", secretsFile];
      const result = await runDoctor(CLI, ["--plan", plan, ...file, ...(json ? ["--json"] : [])], env);
      if (!json) print(result.output);
      return result;
    },
    onStep,
  });
}

try {
  const args = await parser.parseAsync(line);
  if (!args.help) {
    const options = {
      environment: args.env,
      dryRun: args.dryRun,
      directory: args.directory,
      values:
        args.secretsFile === undefined ? { secrets: {}, plain: {} } : await readSecretsFile(args.secretsFile, note),
    };
    const { doctor, ...deployed } = await main(options, args.plan, args.json, args.secretsFile);
    if (args.json) {
      const checks: unknown = doctor ? JSON.parse(doctor) : undefined;
      print(JSON.stringify({ environment: args.env, dry_run: args.dryRun, ...deployed, doctor: checks }, null, 2));
    } else if (args.dryRun) print("dry run: nothing was changed");
    if (!deployed.ok) process.exitCode = 1;
  }
} catch (error) {
  const { exitCode, code, message } = failureOf(error);
  if (line.includes("--json")) print(JSON.stringify({ error: { code, message } }, null, 2));
  note(`error[${code}]: ${message}`);
  process.exitCode = exitCode;
}
