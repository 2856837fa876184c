/** A small gateway around the policy, as Zuplo's pipeline does it: hooks in order, a throw ends them. */
import type { FinalHook, GatewayContext, GatewayRequest, GatewayUser } from "../../../policy/gateway.ts";
import { makePolicy, type Policy } from "../../../policy/policy.ts";
import type { AuditLogCode } from "../../../policy/public-types.ts";
import type { World } from "./world.ts";

interface RouteInit {
  readonly path?: string;
  readonly operation?: unknown;
}

export interface RequestInitOfTest {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | FormData | ReadableStream;
  readonly user?: GatewayUser;
  readonly params?: Readonly<Record<string, string>>;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly requestId?: string;
  readonly parent?: GatewayContext;
  /** Makes the answer; default 200 with a small JSON body. */
  readonly handler?: (request: GatewayRequest) => Response | Promise<Response>;
  /** The gateway skips all hooks, as after a throw in an outbound policy. */
  readonly skipHooks?: boolean;
}

interface Ran {
  readonly response: Response | undefined;
  readonly context: GatewayContext;
  /** Everything that was handed to `waitUntil`. */
  readonly background: Promise<unknown>[];
}

export const OPTIONS = {
  qstashUrl: "https://qstash.test",
  qstashToken: "token",
  workerUrl: "https://worker.test/",
  ingestKey: `whsec_${Buffer.alloc(32, 3).toString("base64")}`,
  organizationId: "org_default",
};

export class TestGateway {
  readonly logs: string[] = [];
  /** Everything that any request handed to `waitUntil`. */
  readonly background: Promise<unknown>[] = [];
  readonly #policy: Policy;
  readonly #options: unknown;
  readonly #routes = new Map<unknown, GatewayContext["route"]>();

  constructor(
    world: World,
    options: Readonly<Record<string, unknown>> = {},
    code: AuditLogCode = {},
    policy: Policy = makePolicy(world.ports, { ZUPLO_ENVIRONMENT_STAGE: "test" }, code),
  ) {
    this.#policy = policy;
    this.#options = { ...OPTIONS, ...options };
  }

  /** Runs one request; the promise settles when the response would be sent. */
  async run(init: RequestInitOfTest = {}, route: RouteInit = {}): Promise<Ran> {
    const hooks: FinalHook[] = [];
    const listeners: ((event: { response?: Response }) => void)[] = [];
    const background: Promise<unknown>[] = [];
    const context = this.#context(init, route, { hooks, listeners, background });
    const request = requestOf(init);
    const result = await this.#policy(request, context, this.#options, "audit-log");
    const answered = result instanceof Response ? result : await (init.handler ?? defaultHandler)(result);
    if (init.skipHooks) return { response: undefined, context, background };
    for (const listener of listeners) listener({ response: answered });
    const latest = Object.assign(request, { user: init.user });
    // A for-of loop sees the hooks that are added on the way, as the runtime's does.
    for (const hook of hooks) await hook(answered, latest);
    return { response: answered, context, background };
  }

  #context(
    init: RequestInitOfTest,
    route: RouteInit,
    into: {
      hooks: FinalHook[];
      listeners: ((event: { response?: Response }) => void)[];
      background: Promise<unknown>[];
    },
  ): GatewayContext {
    const log = (...parts: unknown[]) => void this.logs.push(parts.map(String).join(" "));
    return {
      requestId: init.requestId ?? "0b7e7d4a-1f5a-4c39-9a53-2d6f9c1f0a11",
      log: { warn: log, error: log },
      route: this.#route(route),
      custom: {},
      parentContext: init.parent,
      incomingRequestProperties: init.properties ?? { ip: "203.0.113.7" },
      waitUntil: (promise) => {
        into.background.push(promise);
        this.background.push(promise);
      },
      addResponseSendingFinalHook: (hook) => void into.hooks.push(hook),
      addEventListener: (_type, listener) => void into.listeners.push(listener),
    };
  }

  #route({ path = "/v1/things/{id}", operation = {} }: RouteInit): GatewayContext["route"] {
    const known = this.#routes.get(operation);
    if (known) return known;
    const route = { path, raw: () => operation };
    this.#routes.set(operation, route);
    return route;
  }
}

export function requestOf(init: RequestInitOfTest): GatewayRequest {
  const { method = "GET", url = "https://api.test/v1/things/7", headers, body } = init;
  const request = new Request(url, {
    method,
    headers: { ...(typeof body === "string" ? { "content-length": String(Buffer.byteLength(body)) } : {}), ...headers },
    ...(body === undefined ? {} : { body, duplex: "half" }),
  });
  return Object.assign(request, {
    params: init.params ?? { id: "7" },
    query: Object.fromEntries(new URL(url).searchParams),
    user: undefined,
  }) as GatewayRequest;
}

function defaultHandler(): Response {
  return Response.json({ ok: true });
}
