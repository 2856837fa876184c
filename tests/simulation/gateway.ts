/** The real policy on a model of Zuplo's gateway: isolates that can be killed, hooks in the runtime's order, 30 s of `waitUntil`. */
import { deflateRawSync } from "node:zlib";
import type { VirtualTime } from "../../bench/virtual-time.ts";
import type { FinalHook, GatewayContext, GatewayRequest, GatewayRoute } from "../../policy/gateway.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Ports } from "../../policy/ports.ts";
import { hmac, sha256 } from "./host/crypto.ts";
import { current, Incarnation, runIn, waiting } from "./host/incarnation.ts";
import type { System } from "./host/system.ts";
import type { HttpReply, HttpRequest } from "./network.ts";
import type { Random } from "./random.ts";

/** Cloudflare ends `waitUntil` this long after the response. */
const AFTER_RESPONSE_MS = 30_000;

/** Only the response says whose log the event goes to, so that an intent cannot know. */
export const ORGANIZATION_SELECTOR = "$response.header.x-organization";

type Assurance = "best-effort" | "durable" | "required";

/** One request of the API, as the plan has it. */
export interface ApiRequest {
  readonly n: number;
  readonly isolate: number;
  readonly assurance: Assurance;
  readonly action: string;
  readonly organization: string;
  readonly handlerMs: number;
  readonly status: number;
  /** What a neighbour of the policy does; `child`: the handler calls another route. */
  readonly neighbour: "outbound_throws" | "hook_throws" | "child" | undefined;
}

/** What became of a request, for the oracle. */
export interface Served {
  readonly request: ApiRequest;
  readonly requestId: string;
  readonly startedMs: number;
  /** The request's context in its isolate. */
  readonly life: Incarnation;
  /** When the handler began; absent where the policy refused. */
  handlerMs?: number;
  /** What the policy cost the caller before the handler and after it. */
  delayBeforeMs?: number;
  delayAfterMs?: number;
  /** What the client got, and what it would have got without the policy. */
  answer?: string;
  expected?: string;
  refused: boolean;
  lostLines: number;
  endedMs?: number;
}

/** One post of the policy, with how it looked to it. */
interface Post {
  readonly isolate: Incarnation;
  /** The request in whose context it was made, or whose child's. */
  readonly requestId: string;
  readonly host: string;
  readonly atMs: number;
  /** When it was acknowledged; absent where it was not, or where its request ended first. */
  acknowledgedMs?: number;
}

interface GatewayPorts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly send: (request: HttpRequest, signal?: AbortSignal) => Promise<HttpReply>;
}

interface GatewayOptions extends Readonly<Record<string, unknown>> {
  readonly budgetMs: number;
}

interface Isolate {
  readonly incarnation: Incarnation;
  readonly policy: Policy;
  readonly options: GatewayOptions;
}

export class Gateway {
  readonly served: Served[] = [];
  readonly posts: Post[] = [];
  readonly #system: System;
  readonly #ports: GatewayPorts;
  readonly #isolates = new Map<number, Isolate>();
  readonly #skewsMs: readonly number[];
  #options: GatewayOptions;

  constructor(system: System, options: GatewayOptions, skewsMs: readonly number[], ports: GatewayPorts) {
    this.#system = system;
    this.#options = options;
    this.#skewsMs = skewsMs;
    this.#ports = ports;
  }

  /** New options for new isolates. */
  deploy(options: Partial<GatewayOptions>): void {
    this.#options = { ...this.#options, ...options };
    for (const n of this.#isolates.keys()) this.kill(n);
  }

  kill(n: number): void {
    this.#isolates.get(n)?.incarnation.kill();
    this.#isolates.delete(n);
  }

  serve(request: ApiRequest): void {
    const isolate = this.#isolate(request.isolate);
    const life = new Incarnation(`req-${request.n}`, isolate.incarnation.skewMs, isolate.incarnation);
    const served = this.#note(request, `req-${request.n}`, life);
    void runIn(life, () => this.#answer(isolate, served, undefined)).then(() =>
      this.#ports.time.after(AFTER_RESPONSE_MS, () => life.kill("ended")),
    );
  }

  #note(request: ApiRequest, requestId: string, life: Incarnation): Served {
    const { time } = this.#ports;
    const served: Served = { request, requestId, life, startedMs: time.now(), refused: false, lostLines: 0 };
    life.onDeath(() => {
      served.endedMs = time.now();
    });
    this.served.push(served);
    return served;
  }

  async #answer(isolate: Isolate, served: Served, parent: Context | undefined): Promise<void> {
    const { time } = this.#ports;
    const { request } = served;
    const context = new Context(served, parent);
    const incoming = apiRequest();
    const before = time.now();
    const passed = await isolate.policy(incoming, context, isolate.options, "audit-log");
    served.delayBeforeMs = time.now() - before;
    served.refused = passed instanceof Response;
    let response = passed instanceof Response ? passed : await this.#handle(isolate, served, context);
    if (request.neighbour === "hook_throws")
      context.addResponseSendingFinalHook(() => Promise.reject(new Error("neighbour")));
    const shown = served.refused ? "503" : `${request.status} ${JSON.stringify({ n: request.n })}`;
    const isSkipped = request.neighbour === "outbound_throws";
    if (isSkipped) response = new Response("", { status: 500 });
    const after = time.now();
    const isHookThrown = isSkipped ? false : await context.respond(response, incoming);
    served.delayAfterMs = time.now() - after;
    served.expected = isSkipped || request.neighbour === "hook_throws" ? "500" : shown;
    const text = served.refused || isSkipped ? "" : ` ${await response.text()}`;
    served.answer = isHookThrown ? "500" : `${response.status}${text}`;
    await context.ended;
  }

  async #handle(isolate: Isolate, served: Served, context: Context): Promise<Response> {
    const { request } = served;
    served.handlerMs = this.#ports.time.now();
    if (request.neighbour === "child") {
      const child = { ...request, neighbour: undefined, assurance: "best-effort", handlerMs: 5 } as const;
      const life = current();
      if (life) await this.#answer(isolate, this.#note(child, `${served.requestId}-child`, life), context);
    }
    await waiting<void>((done) => this.#ports.time.after(request.handlerMs, done));
    const headers = { "x-organization": "org_1" };
    return new Response(JSON.stringify({ n: request.n }), { status: request.status, headers });
  }

  #isolate(n: number): Isolate {
    const known = this.#isolates.get(n);
    if (known) return known;
    const incarnation = new Incarnation(`gateway ${n}`, this.#skewsMs[n] ?? 0);
    const ports = policyPorts(this.#ports, incarnation, this.posts);
    const isolate = { incarnation, policy: this.#system.makePolicy(ports, {}), options: { ...this.#options } };
    this.#isolates.set(n, isolate);
    return isolate;
  }
}

function apiRequest(): GatewayRequest {
  const request = new Request("http://api.sim/items/1", { method: "POST" });
  return Object.assign(request, { params: {}, query: {}, user: { sub: "user_1" } });
}

/** What the policy sees of one request. */
class Context implements GatewayContext {
  readonly requestId: string;
  readonly route: GatewayRoute;
  readonly log: GatewayContext["log"];
  readonly parentContext: GatewayContext | undefined;
  readonly #hooks: FinalHook[] = [];
  readonly #listeners: ((event: { readonly response?: Response }) => void)[] = [];
  readonly #background: Promise<unknown>[] = [];

  constructor(served: Served, parent: Context | undefined) {
    const { assurance, action, organization } = served.request;
    this.requestId = served.requestId;
    this.route = { path: "/items/{id}", raw: () => ({ "x-audit": { action, organization, assurance } }) };
    this.parentContext = parent;
    const note = (line: unknown) => {
      if (String(line).includes("is lost")) served.lostLines += 1;
    };
    this.log = { warn: note, error: note };
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#background.push(promise);
  }

  addResponseSendingFinalHook(hook: FinalHook): void {
    this.#hooks.push(hook);
  }

  addEventListener(_type: "responseSent", listener: (event: { readonly response?: Response }) => void): void {
    this.#listeners.push(listener);
  }

  /** True where a final hook threw, which makes a 500 of the answer. */
  async respond(response: Response, request: GatewayRequest): Promise<boolean> {
    for (const listener of this.#listeners) listener({ response });
    try {
      for (const hook of this.#hooks) await hook(response, request);
      return false;
    } catch {
      return true;
    }
  }

  /** Nobody waits for it; a rejection of what `waitUntil` was given is no failure of the request. */
  get ended(): Promise<unknown> {
    for (const promise of this.#background) promise.catch(() => undefined);
    return Promise.resolve();
  }
}

function policyPorts({ time, random, send }: GatewayPorts, isolate: Incarnation, posts: Post[]): Ports {
  return {
    nowMs: () => time.now() + isolate.skewMs,
    random: (bytes) => random.fillBytes(new Uint8Array(bytes)),
    timer(ms, callback) {
      const owner = current();
      return time.after(ms, () => {
        if (owner?.isAlive ?? true) callback();
      });
    },
    async post(url, headers, body, timeoutMs) {
      const lengthened = { ...headers, "content-length": String(Buffer.byteLength(body)) };
      const post: Post = { isolate, requestId: current()?.name ?? "", host: new URL(url).hostname, atMs: time.now() };
      posts.push(post);
      const request = { method: "POST", url, headers: lengthened, body };
      const { status, text } = await send(request, AbortSignal.timeout(timeoutMs));
      if (status >= 200 && status < 300 && text.startsWith("{")) post.acknowledgedMs = time.now();
      return { status, text };
    },
    hmac: (secret, text) => Promise.resolve(hmac(secret, text)),
    sha256: (text) => Promise.resolve(sha256(text)),
    deflate: (text) => Promise.resolve(deflateRawSync(text)),
  };
}
