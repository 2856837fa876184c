/** The record: what the gateway saw of one request. Field names here are the readable ones; `wire.ts` makes them short. */

/** `best-effort`: after the response. `durable`: the response waits for the enqueue. `required`: no enqueue, no request. */
export type Assurance = "best-effort" | "durable" | "required";

/** `unknown` where the gateway could not see how the request ended; it is never guessed. */
export type RequestOutcome = "success" | "failure" | "denied" | "unknown";

/**
 * The moment that the record describes: `outcome` (the request ended), `intent` (before the handler, `required` only) or
 * `watchdog` (the hook never ran). For one event id, `outcome` wins over both others.
 */
export type Stage = "outcome" | "intent" | "watchdog";

export type MetadataValue = string | number | boolean;
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** An actor or a target, as in WorkOS. */
export interface Party {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly metadata?: Metadata;
}

/** How the caller authenticated. Never the credential itself. */
export interface Credential {
  readonly kind: string;
  readonly keyId?: string;
}

/** Where a record came from; the same for every record of one isolate. */
export interface GatewayInfo {
  readonly isolateId: string;
  readonly environment?: string;
  readonly build?: string;
  readonly policyVersion: string;
}

/** Who imported a dead letter from another deployment, and when. */
export interface ImportMark {
  readonly by: string;
  /** ms since the epoch. */
  readonly atMs: number;
}

/** Set by a replay: its id, its number among the replays of this event id (from 1), and the fields that an operator changed. */
export interface ReplayMark {
  readonly id: string;
  readonly n: number;
  readonly mended?: readonly string[];
  /** The operator accepted that WorkOS may hold this event already. */
  readonly acceptDuplicates?: boolean;
  /** The dead letter was imported, so no gateway of this deployment has vouched for the record. */
  readonly imported?: ImportMark;
}

export interface AuditRecord {
  readonly id: string;
  readonly stage: Stage;
  /** Gateway time of the request in ms since the epoch. */
  readonly occurredAtMs: number;
  readonly durationMs?: number;
  readonly action: string;
  /** WorkOS organization id; absent: the default organization of the worker's directory, or a dead letter. */
  readonly organization?: string;
  readonly actor: Party;
  readonly targets: readonly Party[];
  readonly metadata?: Metadata;
  readonly method: string;
  readonly route: string;
  /** Status the client got, or the one named by `statusSource`. */
  readonly status?: number;
  /** `before_sending_hooks`: a later hook may have changed the status the client got. Absent: what the client got. */
  readonly statusSource?: "before_sending_hooks";
  readonly outcome: RequestOutcome;
  /** Refused requests of a stranger that the record counts, at least 1; absent for all other records. */
  readonly requestCount?: number;
  readonly ip?: string;
  readonly userAgent?: string;
  /** `country`, `region`, `city` where the platform knows them. */
  readonly geo?: { readonly country?: string; readonly region?: string; readonly city?: string };
  /** Untrusted: a client can choose it (`zp-rid`). Never an identity. */
  readonly requestId?: string;
  /** W3C Trace Context `traceparent`. https://www.w3.org/TR/trace-context/ */
  readonly traceparent?: string;
  readonly assurance: Assurance;
  /** Event id of the request whose handler called this route with `invokeRoute`. */
  readonly parentId?: string;
  readonly credential?: Credential;
  /** Selectors that did not resolve, and `ip` if the gateway's value is not an address. */
  readonly missing?: readonly string[];
  /** Fields that were cut to a limit, or cleaned of invisible characters; each entry is `field` or `field:sha256`. */
  readonly truncated?: readonly string[];
  readonly gateway: GatewayInfo;
  /** Numbers the records of one isolate from 1, so that gaps are visible. */
  readonly sequence: number;
  readonly replay?: ReplayMark;
  /** Set by the worker on a late outcome, never in a message: the event id of the event that it corrects. */
  readonly corrects?: string;
}

/** The version of messages and records that this code writes. */
export const MESSAGE_VERSION = 1;

/** Returns the outcome that a status implies: below 400 success, 401 and 403 denied, any other failure, undefined unknown. */
export function outcomeOfStatus(status: number | undefined): RequestOutcome {
  if (status === undefined) return "unknown";
  if (status < 400) return "success";
  return status === 401 || status === 403 ? "denied" : "failure";
}
