/** The deploy of the worker, step by step. Every step is safe to repeat: existing values stay or are set to the same value. */
import { baseUrl } from "../../shared/base-url.ts";
import { AuditError } from "../../shared/errors.ts";
import type { Io } from "../run/io.ts";
import { newEvidenceKey } from "../evidence/key.ts";
import { keyFileIn } from "../evidence/key-file.ts";
import { bindDirectory, directoryTitle } from "./directory.ts";
import { refuseMove } from "./deployed-region.ts";
import { queueRegionFault } from "./region.ts";
import { bindBucket, bucketName, createBucket, writeVerifierKey } from "./evidence.ts";
import { collectSecrets, secretsOnWorker } from "./secrets.ts";
import type { Step } from "./step.ts";
import { BUNDLE_MAX_GZIP_BYTES, upload, type Upload } from "./upload.ts";
import { missingSecrets, sameValue, type Values } from "./variables.ts";
import { writeWorker } from "./worker-files.ts";
import { mustRun, type Variables, type Wrangler } from "./wrangler.ts";

export interface DeployOptions {
  readonly environment: "staging" | "production";
  readonly dryRun: boolean;
  /** Creates and binds the KV namespace `DIRECTORY` if it is missing. */
  readonly directory: boolean;
  /** Creates and binds the bucket of the evidence and its key, if they are missing. */
  readonly evidence?: boolean;
  /** From the secrets file; empty without one. */
  readonly values: Values;
}

export interface DeployPorts {
  readonly root: string;
  readonly wrangler: Wrangler;
  readonly io: Io;
  readonly ask: (name: string) => Promise<string>;
  /** See `deployedJurisdiction`. */
  readonly deployedJurisdiction: (url: string) => Promise<string | null | undefined>;
  readonly waitForWorker: (url: string) => Promise<void>;
  readonly doctor: (env: Variables) => Promise<{ readonly exitCode: number; readonly output: string }>;
  /** Called with each step when it ends. */
  readonly onStep: (step: Step) => void;
}

interface Deployed {
  readonly worker: string;
  readonly url?: string;
  readonly steps: readonly Step[];
  readonly ok: boolean;
  /** What `doctor` printed. */
  readonly doctor?: string;
}

/** Deploys the worker; throws `missing_variable`, `invalid_variable`, `payload_too_large`, or `internal` with wrangler's message. */
export async function deploy(options: DeployOptions, ports: DeployPorts): Promise<Deployed> {
  const steps: Step[] = [];
  const end = (step: Step): void => {
    steps.push(step);
    ports.onStep(step);
  };
  const bundle = await bundleStep(options, ports, end);
  if (!options.dryRun) await refuseMove(options, bundle, ports);
  await directoryStep(options, bundle, ports, end);
  if (options.evidence) await bucketStep(options, bundle, ports, end);
  if (options.dryRun) {
    for (const step of stepsToCome(options, ports.io)) end(step);
    return { worker: bundle.worker, steps, ok: true };
  }
  const secrets = await secretsStep(options, ports, end);
  const args = ["deploy", "--env", options.environment];
  const uploaded = await upload(ports.wrangler, args);
  end({
    name: "deploy",
    state: "done",
    detail: uploaded.url ?? "no URL of its own",
    command: ports.io.suggest("wrangler", ...args),
  });
  const url = await workerUrlStep(options, secrets, uploaded, ports, end);
  if (options.evidence) await keyStep(secrets, url, ports, end);
  const variables = { ...whole(bundle.bindings), ...options.values.plain, ...secrets.given };
  const { exitCode, output } = await doctorStep(variables, url, ports);
  const detail =
    exitCode === 0
      ? "every check is green"
      : `the worker is deployed, but a check failed; see above, and first run: export AUDIT_WORKER_URL=${url ?? ""}`;
  end({ name: "doctor", state: exitCode === 0 ? "done" : "failed", detail, command: ports.io.suggest("doctor") });
  return { worker: uploaded.worker, ...(url ? { url } : {}), steps, ok: exitCode === 0, doctor: output };
}

type End = (step: Step) => void;

async function bundleStep(
  { environment, values }: DeployOptions,
  { root, wrangler, io }: DeployPorts,
  end: End,
): Promise<Upload> {
  const args = ["deploy", "--dry-run", "--env", environment];
  await writeWorker(root);
  const bundle = await upload(wrangler, args);
  refuseOtherValues(values, bundle, environment);
  refuseOtherRegion(bundle, environment);
  const size = bundle.gzipBytes ?? 0;
  if (size > BUNDLE_MAX_GZIP_BYTES) {
    throw new AuditError(
      "payload_too_large",
      `the bundle has ${size} bytes after gzip; Cloudflare accepts ${BUNDLE_MAX_GZIP_BYTES}`,
    );
  }
  const detail = `${bundle.worker}, ${(size / 1000).toFixed(1)} kB gzip of ${BUNDLE_MAX_GZIP_BYTES / 1000} kB`;
  end({ name: "bundle", state: "done", detail, command: io.suggest("wrangler", ...args) });
  return bundle;
}

function refuseOtherRegion({ bindings }: Upload, environment: string): void {
  const fault = queueRegionFault(bindings.get("AUDIT_JURISDICTION"), bindings.get("QSTASH_URL"));
  if (fault !== undefined)
    throw new AuditError("invalid_variable", `${fault}; correct it in wrangler.toml, under [env.${environment}.vars]`);
}

/** A later deploy without the file would restore the value of `wrangler.toml`. */
function refuseOtherValues({ plain }: Values, { bindings }: Upload, environment: string): void {
  const other = Object.entries(plain).filter(([name, value]) => {
    const [shown = "", cut] = /^(.*?)(\.\.\.)?$/.exec(bindings.get(name) ?? "")?.slice(1) ?? [];
    return cut === undefined
      ? !sameValue(value, shown)
      : !(baseUrl(value) ?? value).startsWith(baseUrl(shown) ?? shown);
  });
  if (other.length === 0) return;
  const names = other.map(([name]) => `"${name}"`).join(", ");
  throw new AuditError(
    "invalid_variable",
    `${names} differs from wrangler.toml; set it there, under [env.${environment}.vars]`,
  );
}

async function directoryStep(options: DeployOptions, bundle: Upload, ports: DeployPorts, end: End): Promise<void> {
  const { environment, dryRun } = options;
  const title = directoryTitle(environment);
  if (bundle.bindings.has("DIRECTORY")) {
    return end({ name: "directory", state: "skipped", detail: '"DIRECTORY" is bound in wrangler.toml' });
  }
  if (!options.directory)
    return end({ name: "directory", state: "skipped", detail: "optional; --directory makes one" });
  const command = ports.io.suggest(
    "wrangler",
    "kv",
    "namespace",
    "create",
    "audit-forwarder-directory",
    "--env",
    environment,
  );
  if (dryRun) {
    return end({
      name: "directory",
      state: "would",
      detail: `finds or makes "${title}" and binds it in wrangler.toml`,
      command,
    });
  }
  const id = await bindDirectory(ports.wrangler, ports.root, environment);
  end({ name: "directory", state: "done", detail: `"${title}" (${id}) is bound in wrangler.toml; commit that file` });
}

const KEY = "AUDIT_EVIDENCE_KEY";

async function bucketStep(
  { environment, dryRun }: DeployOptions,
  bundle: Upload,
  ports: DeployPorts,
  end: End,
): Promise<void> {
  const name = bucketName(environment);
  const jurisdiction = bundle.bindings.get("AUDIT_JURISDICTION");
  const command = ports.io.suggest("wrangler", ...createBucket(environment, jurisdiction));
  if (bundle.bindings.has("EVIDENCE")) {
    return end({ name: "evidence", state: "skipped", detail: '"EVIDENCE" is bound in wrangler.toml' });
  }
  if (dryRun) {
    const detail = `makes the bucket "${name}", binds it in wrangler.toml, sets "${KEY}", and writes ${keyFileIn(ports.root)}`;
    return end({ name: "evidence", state: "would", detail, command });
  }
  await bindBucket(ports.wrangler, ports.root, environment, jurisdiction);
  end({ name: "evidence", state: "done", detail: `"${name}" is bound in wrangler.toml; commit that file`, command });
}

/** The worker never shows its key, so only the deploy that set it knows the verifier key. */
async function keyStep(
  { given }: KnownSecrets,
  workerUrl: string | undefined,
  ports: DeployPorts,
  end: End,
): Promise<void> {
  const { [KEY]: key, AUDIT_EVIDENCE_ORIGIN: origin } = given;
  const file = keyFileIn(ports.root);
  if (key === undefined || workerUrl === undefined) {
    return end({ name: "evidence", state: "skipped", detail: `the worker has its key; ${file} stays as it is` });
  }
  const line = await writeVerifierKey(ports.root, key, { origin, workerUrl });
  end({ name: "evidence", state: "done", detail: `verifier key ${line}; commit ${file} and give it to auditors` });
}

/** What a dry run shows instead of doing it; nothing here comes from Cloudflare. */
function stepsToCome(options: DeployOptions, { suggest }: Pick<Io, "suggest">): readonly Step[] {
  const { environment, values } = options;
  const names = Object.keys(values.secrets);
  const missing = missingSecrets(names, []);
  const bulk = suggest("wrangler", "secret", "bulk", "--env", environment);
  const sets = names.length === 0 ? [] : [`sets ${names.length} from the file`];
  const asks = missing.length === 0 ? [] : [`needs these if the worker does not have them yet: ${missing.join(", ")}`];
  const detail = [...sets, ...asks].join("; ");
  const url: Step = {
    name: "worker url",
    state: "would",
    detail: "sets the URL that the deploy reports, if the worker has none",
    command: bulk,
    stdin: ["AUDIT_WORKER_URL"],
  };
  return [
    { name: "secrets", state: "would", detail, command: bulk, stdin: names.length > 0 ? names : missing },
    {
      name: "deploy",
      state: "would",
      detail: "uploads the worker",
      command: suggest("wrangler", "deploy", "--env", environment),
    },
    ...(names.includes("AUDIT_WORKER_URL") ? [] : [url]),
    { name: "doctor", state: "would", detail: "checks the deployed worker", command: suggest("doctor") },
  ];
}

interface KnownSecrets {
  /** Values that this run knows, by name. */
  readonly given: Readonly<Record<string, string>>;
  /** Names that the worker already had. */
  readonly onWorker: readonly string[];
}

async function secretsStep(
  { environment, evidence = false, values }: DeployOptions,
  ports: DeployPorts,
  end: End,
): Promise<KnownSecrets> {
  const onWorker = await secretsOnWorker(ports.wrangler, environment);
  const made = evidence && !onWorker.includes(KEY) ? { [KEY]: newEvidenceKey() } : {};
  const given = await collectSecrets({ ...made, ...values.secrets }, onWorker, ports);
  const names = Object.keys(given);
  if (names.length === 0) {
    end({ name: "secrets", state: "skipped", detail: "the worker has every secret it needs, and none was given" });
    return { given, onWorker };
  }
  const args = ["secret", "bulk", "--env", environment];
  await mustRun(ports.wrangler, args, JSON.stringify(given));
  end({
    name: "secrets",
    state: "done",
    detail: `${names.length} set`,
    command: ports.io.suggest("wrangler", ...args),
    stdin: names,
  });
  return { given, onWorker };
}

/** The worker must know its own URL: QStash signs it, and the worker publishes spilled messages to it. */
async function workerUrlStep(
  { environment }: DeployOptions,
  { given, onWorker }: KnownSecrets,
  uploaded: Upload,
  { wrangler, io }: DeployPorts,
  end: End,
): Promise<string | undefined> {
  const known = given["AUDIT_WORKER_URL"];
  if (known !== undefined) return known;
  if (onWorker.includes("AUDIT_WORKER_URL")) return io.env["AUDIT_WORKER_URL"] || uploaded.url;
  if (uploaded.url === undefined) {
    throw new AuditError("missing_variable", 'the deploy reports no URL; set "AUDIT_WORKER_URL" in the secrets file');
  }
  const args = ["secret", "bulk", "--env", environment];
  await mustRun(wrangler, args, JSON.stringify({ AUDIT_WORKER_URL: uploaded.url }));
  end({
    name: "worker url",
    state: "done",
    detail: uploaded.url,
    command: io.suggest("wrangler", ...args),
    stdin: ["AUDIT_WORKER_URL"],
  });
  return uploaded.url;
}

async function doctorStep(
  variables: Variables,
  url: string | undefined,
  { io, doctor, waitForWorker }: DeployPorts,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  if (url !== undefined) await waitForWorker(url);
  return doctor({ ...io.env, ...variables, ...(url === undefined ? {} : { AUDIT_WORKER_URL: url }) });
}

/** Wrangler truncates long values; a truncated one would mislead `doctor`. */
function whole(bindings: Upload["bindings"]): Variables {
  return Object.fromEntries([...bindings].filter(([, value]) => !value?.endsWith("...")));
}
