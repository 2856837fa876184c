/**
 * A request on its way: hooks for how it ends, and a watchdog for where the gateway skips the hooks. Its one promise to the
 * caller: nothing here throws, and nothing here is awaited by the response unless the route asks for it.
 */
import type { Stage } from "../shared/record.ts";
import { readBody } from "./body.ts";
import type { GatewayContext, GatewayRequest } from "./gateway.ts";
import type { Instance } from "./instance.ts";
import { type Capture, type Ending, makeRecords } from "./maker.ts";
import { type Ports, sleep } from "./ports.ts";
import { isRefusedStranger, type Refusal } from "./refusals.ts";
import { RANK, type Rank } from "./shipper.ts";

export interface LiveRequest {
  readonly capture: Capture;
  readonly instance: Instance;
  readonly ports: Pick<Ports, "nowMs" | "timer">;
  /** Calls off the watchdog and begins other work after the response. */
  proceed?: (work: Work) => void;
}

type Work = () => Promise<void>;
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
  return {
    capture: { ...instance.isolate.mint(), parentId, plan, request, context, body },
    instance,
    ports,
  };
}

/** Enqueues that the request has begun; false where no path took it, true also where it leaves no record. Before the handler, for `required`. */
export async function intend({ capture, instance }: LiveRequest): Promise<boolean> {
  const { shipper, options, maker } = instance;
  return shipper.now(await makeRecords(capture, "intent", undefined, maker), options.budgetMs);
}

/** Registers the hooks, and the watchdog where no intent stands for the request already. */
export function watch(live: LiveRequest, isIntended: boolean): void {
  const { capture, instance, ports } = live;
  const begin = (work: Work) => capture.context.waitUntil(work());
  live.proceed = begin;
  hook(live);
  if (isIntended) return;
  // One promise for the watchdog and what comes in its place: each that is handed to `waitUntil` costs the caller time.
  const next = new Promise<Work>((resolve) => {
    const cancel = ports.timer(instance.options.watchdogMs, () => {
      live.proceed = begin;
      resolve(() => later(live, "watchdog"));
    });
    live.proceed = (work) => {
      cancel();
      resolve(work);
    };
  });
  begin(() => next.then((work) => work()));
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
    const ending: Ending = {
      endedMs: ports.nowMs(),
      status: response.status,
      statusSource,
      headers: response.headers,
      user: latest.user ?? capture.request.user,
      body: capture.plan.responseBody ? readBody(response, instance.options.bodyLimitBytes) : undefined,
    };
    const refusal = instance.refusals.note(capture, ending);
    if (refusal) live.proceed?.(() => counted(live, ending, refusal));
    else {
      // A request that may leave no record takes its number when it does.
      if (!capture.plan.isOpen) capture.reserve();
      if (capture.plan.assurance === "durable") return durably(live, ending);
      live.proceed?.(() => later(live, "outcome", ending));
    }
  } catch (error) {
    capture.context.log.error(`audit-log: ${String(error)}`);
  }
  return undefined;
}

/** The record of refused requests is sent by the first of them. */
async function counted(live: LiveRequest, ending: Ending, refusal: Refusal): Promise<void> {
  if (refusal.isFirst) await later(live, "outcome", { ...ending, requestCount: await refusal.count() });
}

/** After the response. */
function later(
  { capture, instance }: LiveRequest,
  stage: Stage,
  ending?: Ending,
  make = () => makeRecords(capture, stage, ending, instance.maker),
): Promise<void> {
  const { id, plan, body, context } = capture;
  const shares = stage === "outcome" && plan.assurance === "best-effort";
  const plain = shares && !plan.isOpen && !(body ?? ending?.body ?? instance.maker.describe);
  return instance.shipper.ship({ id, rank: rankOf(capture, ending), shares, plain, make }, context.log);
}

function rankOf({ request }: Capture, ending: Ending | undefined): Rank {
  if (ending?.user ?? request.user) return RANK.signedIn;
  return ending && isRefusedStranger(ending) ? RANK.refusedStranger : RANK.anonymous;
}

/** Before the response, but only as long as the budget: what did not get out by then goes on after it. */
async function durably(live: LiveRequest, ending: Ending): Promise<void> {
  const { capture, instance, ports } = live;
  const { shipper, options, maker } = instance;
  const made = makeRecords(capture, "outcome", ending, maker);
  const out = made.then((records) => shipper.now(records, options.budgetMs)).catch(() => false);
  live.proceed?.(() => out.then((isOut) => (isOut ? undefined : later(live, "outcome", ending, () => made))));
  await Promise.race([out, sleep(ports, options.budgetMs)]);
}
