/** The state of one policy entry in one isolate: checked options, delivery paths, and a plan for each route. */
import { toBase64Url } from "../shared/bytes.ts";
import { compact } from "../shared/compact.ts";
import { mintEventId } from "../shared/event-id.ts";
import type { GatewayInfo } from "../shared/record.ts";
import { objectOf } from "./selector.ts";
import type { GatewayContext, GatewayEnvironment, GatewayLog, GatewayRoute } from "./gateway.ts";
import type { Capture, Identity } from "./capture.ts";
import type { RecordSettings } from "./request-records.ts";
import { checkOptions, type Omittable, type Options } from "./options.ts";
import { makeFailover, type FailoverPaths } from "./failover.ts";
import { queuePath, type QueueSettings, spillPath, type SpillSettings } from "./paths.ts";
import { makePlan, type RoutePlan } from "./plan.ts";
import type { Ports } from "./ports.ts";
import { makePrivacySettings } from "./privacy.ts";
import type { AuditLogCode } from "./public-types.ts";
import { makeRefusals, type Refusals } from "./refusals.ts";
import { makeShipper, type Shipper } from "./shipper.ts";
import { POLICY_VERSION } from "./version.ts";

/** The identity of this isolate. No two isolates share an id, and a gap in the sequence numbers means a lost record. */
export interface Isolate {
  readonly id: string;
  mint(): Pick<Capture, "id" | "identify" | "isIdentified" | "reserve" | "startedMs">;
}

/** Makes the isolate's identity. Call it during a request: a worker has no randomness outside of one. */
export function makeIsolate(ports: Pick<Ports, "nowMs" | "random">): Isolate {
  const random = ports.random(7);
  const shard = random[6] ?? 0;
  let sequence = 0;
  return {
    id: toBase64Url(random.subarray(0, 6)),
    mint() {
      const startedMs = ports.nowMs();
      const mintId = () => mintEventId(startedMs, ports.random(9), shard);
      let first: number | undefined;
      let own: string | undefined;
      const id = () => (own ??= mintId());
      const known = new Map<string, Identity>();
      return {
        id,
        startedMs,
        isIdentified: () => known.size > 0,
        reserve() {
          // An intent or a watchdog's record has already taken it.
          if (known.size === 0) first ??= sequence += 1;
        },
        identify(place) {
          const found = known.get(place) ?? {
            id: known.size === 0 ? id() : mintId(),
            sequence: first ?? (sequence += 1),
          };
          first = undefined;
          known.set(place, found);
          return found;
        },
      };
    },
  };
}

export interface ConfiguredPolicy {
  readonly isolate: Isolate;
  readonly options: Options;
  /** True if the options have no fault. If they have one, `required` routes refuse every request. */
  readonly sound: boolean;
  /** True if the options configure at least one delivery path. */
  readonly usable: boolean;
  readonly recordSettings: RecordSettings;
  readonly shipper: Shipper;
  readonly refusals: Refusals;
  planOf(context: GatewayContext): RoutePlan;
}

interface Dependencies {
  readonly ports: Ports;
  readonly environment: GatewayEnvironment;
  readonly isolate: Isolate;
  readonly code: AuditLogCode;
}

/** Checks the options once and logs all faults in one line. */
export function configurePolicy(
  given: unknown,
  { ports, environment, isolate, code }: Dependencies,
  log: GatewayLog,
): ConfiguredPolicy {
  const { options, problems } = checkOptions(given);
  const { privacy, problem } = makePrivacySettings(options, ports);
  const all = problem === undefined ? problems : [...problems, problem];
  if (all.length > 0) log.error(`audit-log: ${all.join("; ")}`);
  const paths = pathsOf(options, ports);
  const failover = makeFailover(paths, ports, (line) => log.warn(line));
  return {
    isolate,
    options,
    sound: all.length === 0,
    usable: Boolean(paths.queue ?? paths.spill),
    recordSettings: {
      ports,
      options,
      omit: new Set(options.omit as readonly Omittable[]),
      privacy,
      gateway: gatewayOf(environment, isolate),
      describe: code.describe,
    },
    shipper: makeShipper(failover, options, ports),
    refusals: makeRefusals(ports, code.describe !== undefined),
    planOf: plans(options),
  };
}

function pathsOf(options: Options, ports: Ports): FailoverPaths {
  const { qstashUrl, qstashToken, workerUrl, ingestKey } = options;
  // The checks below ensure that each path has its settings, which the type does not show.
  const settings = options as QueueSettings & SpillSettings;
  return {
    queue: workerUrl && qstashUrl && qstashToken ? queuePath(settings, ports) : undefined,
    spill: workerUrl && ingestKey ? spillPath(settings, ports) : undefined,
  };
}

function gatewayOf(environment: GatewayEnvironment, isolate: Isolate): GatewayInfo {
  const name = environment["ZUPLO_ENVIRONMENT_NAME"] ?? environment["ZUPLO_ENVIRONMENT_STAGE"];
  const build = environment["ZUPLO_BUILD_ID"];
  return compact({
    isolateId: isolate.id,
    policyVersion: POLICY_VERSION,
    environment: name || undefined,
    build: build || undefined,
  });
}

/** Returns the plan of a route, made on the first request. Logs the faults of a plan at that time. */
function plans(options: Options): (context: GatewayContext) => RoutePlan {
  const known = new WeakMap<GatewayRoute, RoutePlan>();
  return ({ route, log }) => {
    const found = known.get(route);
    if (found) return found;
    const operation = objectOf(route.raw());
    const plan = makePlan(operation["x-audit"], options, objectOf(operation["x-zuplo-route"])["handler"]);
    if (plan.problems.length > 0) log.error(`audit-log: invalid_option: on ${route.path}: ${plan.problems.join("; ")}`);
    known.set(route, plan);
    return plan;
  };
}
