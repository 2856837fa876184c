/**
 * A request on its way: hooks for how it ends, and a watchdog for where the gateway skips the hooks. Its one promise to the
 * caller: nothing here throws, and nothing here is awaited by the response unless the route asks for it.
 */
import type { AuditRecord, Stage } from "../shared/record.ts";
import { readBody } from "./body.ts";
import type { GatewayContext, GatewayRequest } from "./gateway.ts";
import type { Instance, Isolate } from "./instance.ts";
import { type Capture, type Ending, makeRecord } from "./make-record.ts";
import { type Ports, sleep } from "./ports.ts";

type StatusSource = Ending["statusSource"];

export class LiveRequest {
  readonly #capture: Capture;
  readonly #instance: Instance;
  readonly #ports: Pick<Ports, "nowMs" | "timer">;
  #settled = false;
  #intended = false;
  #callOffWatchdog: (() => void) | undefined;

  constructor(
    request: GatewayRequest,
    context: GatewayContext,
    instance: Instance,
    isolate: Isolate,
    parentId: string | undefined,
    ports: Pick<Ports, "nowMs" | "timer">,
  ) {
    const plan = instance.planOf(context);
    const body = plan.body ? readBody(request, instance.options.bodyLimitBytes) : undefined;
    this.#capture = { ...isolate.mint(), parentId, plan, request, context, body };
    this.#instance = instance;
    this.#ports = ports;
  }

  get id(): string {
    return this.#capture.id;
  }

  /** Enqueues that the request has begun; false where no path took it. Before the handler, for `required`. */
  async intend(): Promise<boolean> {
    const { shipper, options } = this.#instance;
    this.#intended = await shipper.now(await this.#record("intent"), options.budgetMs);
    return this.#intended;
  }

  /** Registers the hooks, and the watchdog where no intent stands for the request already. */
  watch(): void {
    this.#hook();
    if (this.#intended) return;
    const rings = new Promise<boolean>((resolve) => {
      const cancel = this.#ports.timer(this.#instance.options.watchdogMs, () => resolve(true));
      this.#callOffWatchdog = () => {
        cancel();
        resolve(false);
      };
    });
    this.#capture.context.waitUntil(rings.then((rang) => (rang ? this.#later("watchdog") : undefined)));
  }

  /**
   * The event tells what the client really gets, as sending hooks have run; the final hook that it adds stands behind all
   * others, so that it runs only where none of them threw, which would have made a 500 of the response.
   */
  #hook(): void {
    const { context } = this.#capture;
    let sent = false;
    context.addEventListener?.("responseSent", ({ response }) => {
      context.addResponseSendingFinalHook((before, latest) => this.#settle(response ?? before, latest));
      sent = true;
    });
    context.addResponseSendingFinalHook((response, latest) =>
      sent ? undefined : this.#settle(response, latest, "before_sending_hooks"),
    );
  }

  #settle(response: Response, latest: GatewayRequest, statusSource?: StatusSource): void | Promise<void> {
    if (this.#settled) return undefined;
    this.#settled = true;
    try {
      this.#callOffWatchdog?.();
      const { plan, context } = this.#capture;
      const ending = this.#ending(response, latest, statusSource);
      if (plan.assurance === "durable") return this.#durably(ending);
      context.waitUntil(this.#later("outcome", ending));
    } catch (error) {
      this.#log(`audit-log: ${this.id}: ${String(error)}`);
    }
    return undefined;
  }

  #ending(response: Response, latest: GatewayRequest, statusSource: StatusSource): Ending {
    const { plan, request } = this.#capture;
    return {
      endedMs: this.#ports.nowMs(),
      status: response.status,
      ...(statusSource ? { statusSource } : {}),
      headers: response.headers,
      user: latest.user ?? request.user,
      body: plan.responseBody ? readBody(response, this.#instance.options.bodyLimitBytes) : undefined,
    };
  }

  /** After the response: the first pause lets it leave before anything is computed. */
  async #later(stage: Stage, ending?: Ending): Promise<void> {
    await sleep(this.#ports, 0);
    await this.#instance.shipper.ship(await this.#record(stage, ending), this.#log);
  }

  /** Before the response, but only as long as the budget: what did not get out by then goes on after it. */
  async #durably(ending: Ending): Promise<void> {
    const { shipper, options } = this.#instance;
    const made = this.#record("outcome", ending);
    const out = made.then((record) => shipper.now(record, options.budgetMs)).catch(() => false);
    const anyway = out.then(async (isOut) => (isOut ? undefined : shipper.ship(await made, this.#log)));
    this.#capture.context.waitUntil(anyway);
    await Promise.race([out, sleep(this.#ports, options.budgetMs)]);
  }

  #record(stage: Stage, ending?: Ending): Promise<AuditRecord> {
    return makeRecord(this.#capture, stage, ending, this.#instance.maker);
  }

  readonly #log = (line: string): void => this.#capture.context.log.error(line);
}
