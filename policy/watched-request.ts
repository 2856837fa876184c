/**
 * A request in progress: hooks for its end, and a watchdog in case the gateway skips the hooks. Nothing here throws towards the
 * gateway, and the response does not wait for anything here unless the route asks for it.
 */
import type { Stage } from "../shared/record.ts";
import { type BodyReader, copyRequest, isOpenEnded, unread } from "./body.ts";
import type { Capture, Ending } from "./capture.ts";
import { copyAnswer } from "./event-stream.ts";
import type { GatewayRequest } from "./gateway.ts";
import type { ConfiguredPolicy } from "./configured-policy.ts";
import { makeRecords } from "./request-records.ts";
import { type Ports, sleep, within } from "./ports.ts";
import { isRefusedStranger, type Refusal } from "./refusals.ts";
import { RANK, type Rank } from "./shipper.ts";

/** How long a `durable` response waits for its request's body, which is already in memory unless the response came early. Our choice. */
const BODY_GRACE_MS = 10;
/** By then a response is being sent, so the copy of its body may be read. Our choice. */
const RESPONSE_LEAVES_MS = 10;
/** How often the policy checks whether a body of unknown length is being read, and after how many checks it stops. Our choice. */
const LOOK_MS = 1;
const LOOKS_MAX = 25;

interface WatchedRequest {
  readonly capture: Capture;
  readonly policy: ConfiguredPolicy;
  readonly ports: WatchPorts;
  /** See `isOpenEnded`: nothing may be passed to `waitUntil` before the response. */
  readonly isOpenEnded: boolean;
  /** Absent once it has fired or was replaced. */
  watchdog?: Watchdog | undefined;
}

type WatchPorts = Pick<Ports, "nowMs" | "timer" | "sha256">;
type Work = () => Promise<void>;
type StatusSource = Ending["statusSource"];

/** Stores the data for a request's records. */
export function beginRequest(
  begun: Pick<Capture, "request" | "context" | "plan" | "parentId">,
  policy: ConfiguredPolicy,
  ports: WatchPorts,
): WatchedRequest {
  const { request, context, plan, parentId } = begun;
  const openEnded = isOpenEnded(request, context.parentContext !== undefined) && !plan.readsBodyItself;
  const settings = { limitBytes: policy.options.bodyLimitBytes, ports };
  const body = plan.body ? copyRequest(request, openEnded, settings) : undefined;
  const capture = { ...policy.isolate.mint(), parentId, plan, request, context, body };
  return { capture, policy, ports, isOpenEnded: openEnded };
}

/**
 * Enqueues the intent of a `required` request, before its handler. Resolves to false if no path accepted it; true also if there is
 * no intent to send.
 */
export async function intend({ capture, policy }: WatchedRequest): Promise<boolean> {
  const { shipper, options, recordSettings } = policy;
  return shipper.now(await makeRecords(capture, "intent", undefined, recordSettings), options.budgetMs);
}

/** Resolves to false if the body cannot be read and the route refuses such bodies. Waits until the body has arrived. */
export async function isReadable({ capture, policy, ports }: WatchedRequest): Promise<boolean> {
  const { plan, body } = capture;
  if (!plan.refusesUnreadable || !body) return true;
  const arrived = await within(ports, policy.options.watchdogMs, body());
  return arrived !== undefined && (arrived.fault ?? "garbled") === "garbled";
}

/** Registers the hooks, and starts the watchdog unless an intent was enqueued. */
export function watch(watched: WatchedRequest, isIntended: boolean): void {
  hook(watched);
  if (isIntended) return;
  watched.watchdog = watched.isOpenEnded ? announceOnceRead(watched) : startWatchdog(watched);
}

interface Watchdog {
  /** Cancels the watchdog and starts other work in its place. */
  replaceWith(work: Work): void;
}

function startWatchdog(watched: WatchedRequest): Watchdog {
  const { capture, policy, ports } = watched;
  // The watchdog and its replacement share a promise, because each promise in `waitUntil` costs the caller time.
  const next = Promise.withResolvers<Work>();
  const cancel = ports.timer(policy.options.watchdogMs, () => {
    watched.watchdog = undefined;
    next.resolve(() => later(watched, "watchdog"));
  });
  capture.context.waitUntil(next.promise.then((work) => work()));
  return {
    replaceWith(work) {
      watched.watchdog = undefined;
      cancel();
      next.resolve(work);
    },
  };
}

/**
 * Sends the watchdog's record as soon as somebody reads the body, because no timer outlives the client here: without `waitUntil`,
 * the runtime ends everything when the client resets its connection, even if the origin already has the whole request. A request
 * that an auth policy refuses first sends nothing. The outcome replaces the record.
 */
function announceOnceRead(watched: WatchedRequest): Watchdog {
  const { capture, policy, ports } = watched;
  let cancel: (() => void) | undefined;
  function look(left: number): void {
    cancel = ports.timer(LOOK_MS, () => (capture.request.bodyUsed || left === 0 ? announce() : look(left - 1)));
  }
  function announce(): void {
    makeRecords(capture, "watchdog", undefined, policy.recordSettings)
      .then((records) => policy.shipper.now(records, policy.options.timeoutMs))
      .catch((error: unknown) => capture.context.log.error(`audit-log: ${String(error)}`));
  }
  look(LOOKS_MAX);
  return {
    replaceWith(work) {
      cancel?.();
      capture.context.waitUntil(work());
    },
  };
}

function afterResponse(watched: WatchedRequest, work: Work): void {
  if (watched.watchdog) watched.watchdog.replaceWith(work);
  else watched.capture.context.waitUntil(work());
}

/**
 * The event shows what the client really gets, because sending hooks have run. The final hook is added here, after all others, so
 * that it runs only if none of them threw, which would have turned the response into a 500.
 */
function hook(watched: WatchedRequest): void {
  const { context } = watched.capture;
  let sent = false;
  context.addEventListener?.("responseSent", ({ response }) => {
    context.addResponseSendingFinalHook((before, latest) => settle(watched, response ?? before, latest));
    sent = true;
  });
  context.addResponseSendingFinalHook((response, latest) =>
    sent ? undefined : settle(watched, response, latest, "before_sending_hooks"),
  );
}

function settle(
  watched: WatchedRequest,
  response: Response,
  latest: GatewayRequest,
  statusSource?: StatusSource,
): void | Promise<void> {
  const { capture, policy, ports } = watched;
  try {
    // If the handler reads the original, it has done so by now, and after the response the runtime may cut it off.
    void capture.body?.();
    const ending: Ending = {
      endedMs: ports.nowMs(),
      status: response.status,
      statusSource,
      headers: response.headers,
      user: latest.user ?? capture.request.user,
      body: capture.plan.responseBody ? copyOnItsWay(watched, response) : undefined,
    };
    const refusal = policy.refusals.note(capture, ending);
    if (refusal) afterResponse(watched, () => counted(watched, ending, refusal));
    else {
      // A request that may leave no record takes its number only when it leaves one.
      if (!capture.plan.isOpen) capture.reserve();
      if (capture.plan.assurance === "durable") return durably(watched, ending);
      afterResponse(watched, () => later(watched, "outcome", ending));
    }
  } catch (error) {
    capture.context.log.error(`audit-log: ${String(error)}`);
  }
  return undefined;
}

/** The record of refused requests is sent by the first of them. */
async function counted(watched: WatchedRequest, ending: Ending, refusal: Refusal): Promise<void> {
  if (refusal.isFirst) await later(watched, "outcome", { ...ending, requestCount: await refusal.count() });
}

/** Its copy is read once the response is on its way. */
function copyOnItsWay({ capture, policy, ports }: WatchedRequest, response: Response): BodyReader | undefined {
  const settings = { limitBytes: policy.options.bodyLimitBytes, ports };
  const read = copyAnswer(response, capture.plan.preset, capture.body, settings);
  return read === undefined || read === unread ? read : () => sleep(ports, RESPONSE_LEAVES_MS).then(read);
}

/** After the response. */
function later(
  { capture, policy }: WatchedRequest,
  stage: Stage,
  ending?: Ending,
  make = () => makeRecords(capture, stage, ending, policy.recordSettings),
): Promise<void> {
  const { id, plan, body, context } = capture;
  const shares = stage === "outcome" && plan.assurance === "best-effort";
  const plain = shares && !plan.isOpen && !(body ?? ending?.body ?? policy.recordSettings.describe);
  return policy.shipper.ship({ id, rank: rankOf(capture, ending), shares, plain, make }, context.log);
}

function rankOf({ request }: Capture, ending: Ending | undefined): Rank {
  if (ending?.user ?? request.user) return RANK.signedIn;
  return ending && isRefusedStranger(ending) ? RANK.refusedStranger : RANK.anonymous;
}

/**
 * Runs before the response, for at most `budgetMs`; the rest continues after it. Never waits for a body: if the response's body is
 * needed, or the request's is still arriving, a record without it is sent first, delayed like a watchdog's, and the complete one
 * replaces it after the response.
 */
async function durably(watched: WatchedRequest, ending: Ending): Promise<void> {
  const { capture, policy, ports } = watched;
  const { shipper, options, recordSettings } = policy;
  const isAsked = !capture.body || (await within(ports, BODY_GRACE_MS, capture.body())) !== undefined;
  const isWhole = isAsked && (ending.body === undefined || ending.body === unread);
  const made = isWhole
    ? makeRecords(capture, "outcome", ending, recordSettings)
    : makeRecords(
        isAsked ? capture : { ...capture, body: unread },
        "watchdog",
        { ...ending, body: unread },
        recordSettings,
      );
  const out = made.then((records) => shipper.now(records, options.budgetMs)).catch(() => false);
  const whole = isWhole ? () => made : undefined;
  afterResponse(watched, () =>
    out.then((isOut) => (isOut && isWhole ? undefined : later(watched, "outcome", ending, whole))),
  );
  await Promise.race([out, sleep(ports, options.budgetMs)]);
}
