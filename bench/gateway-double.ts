/** A request on its way through a gateway, as far as the policy sees it: hooks in the runtime's order, and what `waitUntil` was given. */
import type { FinalHook, GatewayContext, GatewayRequest, GatewayRoute } from "../policy/gateway.ts";

type Listener = (event: { readonly response?: Response }) => void;

export class GatewayDouble implements GatewayContext {
  readonly requestId: string;
  readonly route: GatewayRoute;
  readonly incomingRequestProperties: Readonly<Record<string, unknown>>;
  readonly log = { warn: complain, error: complain };
  readonly #hooks: FinalHook[] = [];
  readonly #listeners: Listener[] = [];
  readonly #background: Promise<unknown>[] = [];

  constructor(requestId: string, route: GatewayRoute, properties: Readonly<Record<string, unknown>>) {
    this.requestId = requestId;
    this.route = route;
    this.incomingRequestProperties = properties;
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#background.push(promise);
  }

  addResponseSendingFinalHook(hook: FinalHook): void {
    this.#hooks.push(hook);
  }

  addEventListener(_type: "responseSent", listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Sends the response: first the listeners, then each final hook in turn, those that a listener added too. */
  async respond(response: Response, request: GatewayRequest): Promise<void> {
    for (const listener of this.#listeners) listener({ response });
    for (const hook of this.#hooks) await hook(response, request);
  }

  /** Ends once all that `waitUntil` was given has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#background);
  }
}

/** Fails the benchmark if the policy logs an error, because then it measures something else. */
function complain(...messages: unknown[]): never {
  throw new Error(messages.join(" "));
}
