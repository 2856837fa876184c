/** A real gateway with the test routes and a sink behind it: one per test file, as a start takes seconds. */
import { readFile } from "node:fs/promises";
import { type Agent, request as httpRequest } from "node:http";
import { type Gateway, startGateway } from "../../dev/gateway/gateway.ts";
import { policiesFile, routesFile, type Situation, type Variant } from "./routes.ts";
import { type Sink, startSink } from "./sink.ts";

export interface Harness {
  readonly gateway: Gateway;
  readonly sink: Sink;
  /** Sends one request to a variant of a situation. */
  call(variant: Variant, path: string, init?: CallInit): Promise<Called>;
  /** The whole lines of the gateway's log that hold a text. The log comes through a pipe of its own, later than answers and records. */
  lines(part: string): string[];
  stop(): Promise<void>;
}

export interface CallInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For many requests on a few connections; default: a connection of its own. */
  readonly agent?: Agent;
}

export interface Called {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly ms: number;
}

interface HarnessOptions {
  readonly situations: Readonly<Record<string, Situation>>;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly policies?: Parameters<typeof policiesFile>[1];
  readonly env?: Readonly<Record<string, string>>;
}

/** 32 bytes; the worker of a test checks signatures with the same. */
export const INGEST_KEY = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** Variables of a gateway that sends everything to a sink. */
export const sinkVariables = (url: string): Readonly<Record<string, string>> => ({
  SINK_URL: url,
  TEST_WORKOS_URL: url,
  WORKOS_API_KEY: "sk_test_workos",
  QSTASH_URL: url,
  QSTASH_TOKEN: "qstash-token",
  AUDIT_WORKER_URL: `${url}/worker/`,
  AUDIT_INGEST_KEY: INGEST_KEY,
  AUDIT_ORGANIZATION_ID: "org_default",
});

export async function startHarness({ situations, options, policies, env }: HarnessOptions): Promise<Harness> {
  const sink = await startSink();
  const gateway = await startGateway({
    env: {
      ...sinkVariables(sink.url),
      ...env,
    },
    files: {
      "config/routes.oas.json": routesFile(situations),
      "config/policies.json": policiesFile(options, policies),
      ...(await moduleFiles()),
    },
  }).catch(async (error: unknown) => {
    await sink.close();
    throw error;
  });
  return {
    gateway,
    sink,
    call: (variant, path, init) => call(`${gateway.url}/${variant}${path}`, init),
    lines: (part) =>
      gateway
        .logs()
        .split("\n")
        .slice(0, -1)
        .filter((line) => line.includes(part)),
    async stop() {
      await gateway.stop();
      await sink.close();
    },
  };
}

/** The modules of the test routes and policies, by their path in the project. */
export async function moduleFiles(): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries(await Promise.all(["scenarios.ts", "documented.ts", "described.ts"].map(moduleFile)));
}

async function moduleFile(name: string): Promise<readonly [string, string]> {
  return [`modules/${name}`, await readFile(new URL(`./project/modules/${name}`, import.meta.url), "utf8")];
}

/** Sends exactly the given headers, as `fetch` adds and forbids some; never follows a redirect. */
function call(url: string, { method = "GET", headers = {}, body, agent }: CallInit = {}): Promise<Called> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: agent ?? false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
          ms: performance.now() - startedMs,
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}
