/**
 * Loads the real policy and the real worker, natively and under Node: only `cloudflare:workers` has a stand-in. A mutation changes
 * one place of their source while it is loaded, into modules of its own, to prove that the oracle sees it.
 */
import { registerHooks } from "node:module";
import type { Policy } from "../../../policy/policy.ts";
import type { GatewayEnvironment } from "../../../policy/gateway.ts";
import type { Ports } from "../../../policy/ports.ts";
import type { DecodedMessage } from "../../../worker/message/decoded-message.ts";
import { replacePattern, type Pattern } from "./pattern.ts";

export interface SourceMutation extends Pattern {
  readonly name: string;
  /** A top-level folder; exactly one place in its modules fits. */
  readonly folder: "shared" | "policy" | "worker";
}

export type DurableObjectClass = new (state: unknown, env: unknown) => object;

interface WorkerModule {
  readonly default: {
    fetch(request: Request, env: unknown, execution: { waitUntil(promise: Promise<unknown>): void }): Promise<Response>;
    scheduled(controller: unknown, env: unknown): Promise<void>;
  };
  readonly Ledger: DurableObjectClass;
  readonly Outbox: DurableObjectClass;
  readonly Archive: DurableObjectClass;
  readonly Monitor: DurableObjectClass;
}

export interface System {
  readonly makePolicy: (ports: Ports, environment: GatewayEnvironment) => Policy;
  readonly worker: WorkerModule;
  readonly decodeMessage: (body: Uint8Array) => DecodedMessage;
}

const ROOT = new URL("../../../", import.meta.url).href;
const RUNTIME = `data:text/javascript,export class DurableObject { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }`;

/** Each probe and each round of the cron asks all shards, which is most of what a run would cost. A few behave as many do. */
const FEWER_SHARDS: readonly (readonly [RegExp, number])[] = [
  [/(?<=LEDGER_SHARDS = )\d+(?=;)/g, 4],
  [/(?<=LEDGER_FORMER_SHARDS = )\d+(?=;)/g, 2],
];
const SHARDS_MODULE = "shared/limits.ts";

let mutation: SourceMutation | undefined;
let mutatedPlaces = 0;
let isHooked = false;

export async function loadSystem(mutant?: SourceMutation): Promise<System> {
  const paths = ["policy/policy.ts", "worker/index.ts", "worker/message/decoded-message.ts"];
  const [policy, worker, decode] = await loadModules(paths, mutant);
  return {
    makePolicy: (policy as Pick<System, "makePolicy">).makePolicy,
    worker: worker as WorkerModule,
    decodeMessage: (decode as Pick<System, "decodeMessage">).decodeMessage,
  };
}

/** Loads modules of the source, with a mutation that must fit one of them or of what they import. */
export async function loadModules(paths: readonly string[], mutant?: SourceMutation): Promise<readonly unknown[]> {
  if (!isHooked) hook();
  isHooked = true;
  mutation = mutant;
  mutatedPlaces = 0;
  const query = mutant ? `?mutant=${mutant.name}` : "";
  const loaded = await Promise.all(paths.map((path) => import(`${ROOT}${path}${query}`) as Promise<unknown>));
  if (mutant && mutatedPlaces !== 1) {
    throw new Error(`mutation "${mutant.name}" fits ${mutatedPlaces} places in "${mutant.folder}", not exactly one`);
  }
  return loaded;
}

function withFewerShards<T extends { source?: unknown }>(url: string, loaded: T): T {
  if (url.replace(/\?.*$/, "") !== `${ROOT}${SHARDS_MODULE}`) return loaded;
  const source = Buffer.from(loaded.source as Uint8Array).toString();
  for (const [place] of FEWER_SHARDS) {
    const count = source.match(place)?.length ?? 0;
    if (count !== 1) throw new Error(`"${SHARDS_MODULE}" has ${count} places of ${String(place)}, not one`);
  }
  return {
    ...loaded,
    source: FEWER_SHARDS.reduce((text, [place, count]) => text.replace(place, String(count)), source),
  };
}

function hook(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "cloudflare:workers") return { url: RUNTIME, shortCircuit: true };
      const found = next(specifier, context);
      const query = /\?mutant=[\w-]+$/.exec(context.parentURL ?? "")?.[0];
      const isOurs = found.url.startsWith(ROOT) && !found.url.includes("/node_modules/");
      return query && isOurs ? { ...found, url: found.url.replace(/\?.*$/, "") + query } : found;
    },
    load(url, context, next) {
      // The console's page, which the worker's bundler makes a text of.
      if (/\.html(\?|$)/.test(url)) return { format: "module", source: 'export default "";', shortCircuit: true };
      const loaded = withFewerShards(url, next(url, context));
      if (!mutation || !url.startsWith(`${ROOT}${mutation.folder}/`) || !url.endsWith(`?mutant=${mutation.name}`))
        return loaded;
      const { count, source } = replacePattern(Buffer.from(loaded.source as Uint8Array).toString(), mutation);
      mutatedPlaces += count;
      return { ...loaded, source };
    },
  });
}
