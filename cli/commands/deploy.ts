/** `deploy`: deploys the worker to Cloudflare. `npm run deploy` runs it in the clone. */
import { runDoctor, waitForWorker } from "../deploy/after.ts";
import { deployedJurisdiction } from "../deploy/deployed-region.ts";
import { askSecret } from "../deploy/prompt.ts";
import { deploy as deployWorker, type DeployOptions } from "../deploy/run.ts";
import { readSecretsFile } from "../deploy/secrets-file.ts";
import { stepLines, type Step } from "../deploy/step.ts";
import { SECRETS } from "../deploy/variables.ts";
import { wranglerOf } from "../deploy/wrangler.ts";
import { command } from "../run/command.ts";
import { workerFolder } from "../run/installation.ts";
import { type Io, processIo } from "../run/io.ts";

export const deploy = command({
  usage: "deploy",
  about: "Deploy the worker to Cloudflare: secrets, upload, doctor; safe to repeat",
  examples: [
    ["deploy --env staging --dry-run", "show what would be done"],
    ["deploy --env production --secrets-file ~/audit-production.env", "deploy"],
  ],
  options: (yargs) =>
    yargs
      .option("env", {
        choices: ["staging", "production"] as const,
        default: "staging" as const,
        describe: "Environment in wrangler.toml",
      })
      .option("directory", {
        type: "boolean",
        default: false,
        describe: 'Create and bind the KV namespace "DIRECTORY" if it is missing',
      })
      .option("evidence", {
        type: "boolean",
        default: false,
        describe: 'Create and bind the bucket "EVIDENCE" and its key if they are missing',
      })
      .option("dry-run", {
        type: "boolean",
        default: false,
        describe: "Bundle, and only print the other steps; needs no account and no network",
      })
      .option("plan", {
        choices: ["free", "payg", "fixed"] as const,
        default: "free" as const,
        describe: "Your QStash plan, for doctor",
      })
      .epilogue(
        `Secrets: ${Object.keys(SECRETS).join(", ")}. The command asks for each required one that is neither in the file nor on the worker. ` +
          `It never puts a secret on a command line.\nCloudflare: "${processIo().suggest("wrangler", "login")}", or CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID.`,
      ),

  run: async (args, io) => {
    const { secretsFile } = args;
    const isJson = args["json"] === true;
    const options: DeployOptions = {
      environment: args.env,
      dryRun: args.dryRun,
      directory: args.directory,
      evidence: args.evidence,
      // The file has already been read and checked; only its values matter here.
      values:
        typeof secretsFile === "string"
          ? await readSecretsFile(secretsFile, () => undefined)
          : { secrets: {}, plain: {} },
    };
    const doctorArgs = [
      "--plan",
      args.plan,
      ...(typeof secretsFile === "string" ? ["--secrets-file", secretsFile] : []),
      ...(isJson ? ["--json"] : []),
    ];
    const { doctor, ...deployed } = await deployWorker(options, portsOf(io, doctorArgs, isJson));
    const checks: unknown = isJson && doctor ? JSON.parse(doctor) : undefined;
    return {
      json: { environment: args.env, dry_run: args.dryRun, ...deployed, doctor: checks },
      lines: args.dryRun ? ["dry run: nothing was changed"] : [],
      ok: deployed.ok,
    };
  },
});

function portsOf(io: Io, doctorArgs: readonly string[], isJson: boolean): Parameters<typeof deployWorker>[1] {
  const root = workerFolder();
  return {
    root,
    wrangler: wranglerOf(root, io.env),
    io,
    ask: (name) => askSecret(`${name} (not shown): `),
    deployedJurisdiction,
    waitForWorker,
    doctor: async (env) => {
      const result = await runDoctor(process.argv[1] ?? "", doctorArgs, env);
      if (!isJson) io.print(result.output.trimEnd());
      return result;
    },
    onStep: (step: Step): void => {
      if (!isJson) io.print(stepLines(step, io).join("\n"));
    },
  };
}
