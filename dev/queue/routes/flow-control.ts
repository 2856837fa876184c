import type { App } from "../app.ts";
import { ApiError } from "../errors.ts";
import type { Reply, Request, Route } from "../http.ts";
import { countDue } from "../store/messages.ts";
import type { FlowKey } from "../store/flow-keys.ts";

const get = (path: RegExp, run: Route["run"]): Route => ({ method: "GET", path, group: "listing", run });

/** The longest period of a rate: one week. */
const LONGEST_PERIOD_S = 604_800;

/** Flow-control keys: their limits, what waits under them, and the operator's pause. */
export function flowControlRoutes(app: App): Route[] {
  const change = (verb: string, run: (request: Request, key: string) => Partial<FlowKey>): Route => ({
    method: "POST",
    path: new RegExp(`^/v2/flowControl/([^/]+)/${verb}$`),
    group: "flow_control",
    run: async (request, key = "") => {
      const changes = run(request, key);
      await app.database.write(() => app.flowKeys.change(key, changes));
      app.lanes.add(`flow:${key}`);
      app.scheduler.wake();
      return { status: 200 };
    },
  });
  return [
    get(/^\/v2\/flowControl$/, () => ({ status: 200, json: app.flowKeys.list().map((key) => shape(app, key)) })),
    get(/^\/v2\/flowControl\/([^/]+)$/, (_, key = "") => one(app, key)),
    get(/^\/v2\/globalParallelism$/, () => ({
      status: 200,
      json: { parallelismMax: app.parallelism, parallelismCount: app.scheduler.active() },
    })),
    change("pause", () => ({ paused: true })),
    change("resume", () => ({ paused: false })),
    change("pin", (request, key) => pin(app, request, key)),
    change("unpin", (request) => unpin(request)),
    change("resetRate", (_, key) => {
      app.lanes.resetRate(`flow:${key}`, app.clock.now());
      return {};
    }),
  ];
}

function one(app: App, name: string): Reply {
  const key = app.flowKeys.get(name);
  if (key === undefined) throw new ApiError(404, `flow control key ${name} not found`);
  return { status: 200, json: shape(app, key) };
}

function shape(app: App, key: FlowKey): Record<string, unknown> {
  const lane = `flow:${key.key}`;
  const now = app.clock.now();
  const usage = app.lanes.usage(lane);
  const isCurrent = now < usage.periodStart + key.period * 1000;
  return {
    flowControlKey: key.key,
    waitListSize: countDue(app.database, lane, now),
    parallelismMax: key.parallelism,
    parallelismCount: usage.active,
    rateMax: key.rate,
    rateCount: isCurrent ? usage.rateCount : 0,
    ratePeriod: key.period,
    ratePeriodStart: Math.floor((isCurrent ? usage.periodStart : now) / 1000),
    isPaused: key.paused,
    isPinnedParallelism: key.pinnedParallelism,
    isPinnedRate: key.pinnedRate,
  };
}

/** Pins the limits, so that later messages cannot change them, and restarts the rate's period. */
function pin(app: App, { query }: Request, key: string): Partial<FlowKey> {
  const [parallelism, rate, period] = ["parallelism", "rate", "period"].map((name) => readLimit(query, name));
  if (parallelism === undefined && rate === undefined) throw new ApiError(400, "parallelism or rate must be given");
  if (period !== undefined && period > LONGEST_PERIOD_S) throw new ApiError(400, "invalid period: must be at most 7d");
  app.lanes.resetRate(`flow:${key}`, app.clock.now());
  return {
    ...(parallelism === undefined ? {} : { parallelism, pinnedParallelism: true }),
    ...(rate === undefined ? {} : { rate, period: period ?? 1, pinnedRate: true }),
  };
}

function readLimit(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new ApiError(400, `invalid ${name}: must be a positive whole number`);
  return Number(value);
}

function unpin({ query }: Request): Partial<FlowKey> {
  return {
    ...(query.get("parallelism") === "true" ? { pinnedParallelism: false } : {}),
    ...(query.get("rate") === "true" ? { pinnedRate: false } : {}),
  };
}
