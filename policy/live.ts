/**
 * A request on its way: hooks for how it ends, and a watchdog for where the gateway skips the hooks. Its one promise to the
 * caller: nothing here throws, and nothing here is awaited by the response unless the route asks for it.
 */
import type { Stage } from "../shared/record.ts";
import { readBody } from "./body.ts";
import type { GatewayContext, GatewayRequest } from "./gateway.ts";
import type { Instance } from "./instance.ts";
import { type Capture, type Ending, makeRecord } from "./maker.ts";
import { type Ports, sleep } from "./ports.ts";

export interface LiveRequest {
  readonly capture: Capture;
  readonly instance: Instance;
  readonly ports: Pick<Ports, "nowMs" | "timer">;
  callOffWatchdog?: () => void;
}

type StatusSource = Ending["statusSource"];

/** Keeps what its record will be made of. */
export function beginRequest(
  request: GatewayRequest,
  context: GatewayContext,
  instance: Instance,
  parentId: string | undefined,
  ports: LiveRequest["ports"],
): LiveRequest {
  const plan = instance.planOf(context);
  const body = plan.body ? readBody(request, instance.options.bodyLimitBytes) : undefined;
  return { capture: { ...instance.isolate.mint(), parentId, plan, request, context, body }, instance, ports };
}

/** Enqueues that the request has begun; false where no path took it. Before the handler, for `required`. */
export async function intend({ capture, instance }: LiveRequest): Promise<boolean> {
  const { shipper, options, maker } = instance;
  return shipper.now(await makeRecord(capture, "intent", undefined, maker), options.budgetMs);
}

/** Registers the hooks, and the watchdog where no intent stands for the request already. */
export function watch(live: LiveRequest, isIntended: boolean): void {
  const { capture, instance, ports } = live;
  hook(live);
  if (isIntended) return;
  const rings = new Promise<boolean>((resolve) => {
    const cancel = ports.timer(instance.options.watchdogMs, () => resolve(true));
    live.callOffWatchdog = () => {
      cancel();
      resolve(false);
    };
  });
  capture.context.waitUntil(rings.then((rang) => (rang ? later(live, "watchdog") : undefined)));
}

/**
 * The event tells what the client really gets, as sending hooks have run; the final hook that it adds stands behind all others,
 * so that it runs only where none of them threw, which would have made a 500 of the response.
 */
function hook(live: LiveRequest): void {
  const { context } = live.capture;
  let sent = false;
  context.addEventListener?.("responseSent", ({ response }) => {
    context.addResponseSendingFinalHook((before, latest) => settle(live, response ?? before, latest));
    sent = true;
  });
  context.addResponseSendingFinalHook((response, latest) =>
    sent ? undefined : settle(live, response, latest, "before_sending_hooks"),
  );
}

function settle(
  live: LiveRequest,
  response: Response,
  latest: GatewayRequest,
  statusSource?: StatusSource,
): void | Promise<void> {
  const { capture, instance, ports } = live;
  try {
    live.callOffWatchdog?.();
    const ending: Ending = {
      endedMs: ports.nowMs(),
      status: response.status,
      statusSource,
      headers: response.headers,
      user: latest.user ?? capture.request.user,
      body: capture.plan.responseBody ? readBody(response, instance.options.bodyLimitBytes) : undefined,
    };
    if (capture.plan.assurance === "durable") return durably(live, ending);
    capture.context.waitUntil(later(live, "outcome", ending));
  } catch (error) {
    capture.context.log.error(`audit-log: ${String(error)}`);
  }
  return undefined;
}

/** The response leaves within this time, so that what is computed after it costs the caller nothing (measured). Our choice. */
const LEAVING_MS = 10;

/** After the response. */
async function later({ capture, instance, ports }: LiveRequest, stage: Stage, ending?: Ending): Promise<void> {
  await sleep(ports, Math.min(LEAVING_MS, instance.options.coalesceMs));
  await instance.shipper.ship(await makeRecord(capture, stage, ending, instance.maker), capture.context.log);
}

/** Before the response, but only as long as the budget: what did not get out by then goes on after it. */
async function durably({ capture, instance, ports }: LiveRequest, ending: Ending): Promise<void> {
  const { shipper, options, maker } = instance;
  const { context } = capture;
  const made = makeRecord(capture, "outcome", ending, maker);
  const out = made.then((record) => shipper.now(record, options.budgetMs)).catch(() => false);
  context.waitUntil(out.then(async (isOut) => (isOut ? undefined : shipper.ship(await made, context.log))));
  await Promise.race([out, sleep(ports, options.budgetMs)]);
}
