/** Every limit of the system, each with its source. Units end the names. */

/** WorkOS metadata objects: at most 50 keys. https://workos.com/docs/audit-logs/metadata-schema */
export const METADATA_MAX_KEYS = 50;
/** Custom metadata keys of an event: what `EVENT_METADATA` of ours leaves of the 50; a test holds the two together. */
export const CUSTOM_METADATA_MAX_KEYS = 24;
/** WorkOS metadata keys: `^[a-zA-Z0-9_-]{0,40}$` in the published OpenAPI description. */
export const METADATA_KEY_MAX_CHARS = 40;
/** WorkOS metadata strings: 500, counted in code points (measured with ajv on the published description). */
export const METADATA_VALUE_MAX_CODE_POINTS = 500;
/** The real WorkOS server refuses more than 20 targets (https://github.com/dust-tt/dust/pull/27021). */
export const EVENT_MAX_TARGETS = 20;
/** Records that one request leaves at most, by `each` or as a batch; the rest is counted. Our choice. */
export const EACH_MAX_RECORDS = 20;
/** WorkOS answers "request entity too large" near 100 kB; production users stop at 60,000 (https://github.com/dust-tt/dust/pull/26412). */
export const EVENT_MAX_BYTES = 60_000;
/** WorkOS repeats a stored answer to an idempotency key for 24 h. https://workos.com/docs/reference/idempotency */
export const IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000;
/** Longest time one request to WorkOS may take; below QStash's own timeout for a delivery. Our choice. */
export const WORKOS_TIMEOUT_MS = 15_000;
/** A `Retry-After` beyond a day is ignored by QStash, so ours is clamped to it. https://upstash.com/docs/qstash/features/retry */
export const RETRY_AFTER_MAX_MS = 86_400_000;

/** The worker takes at most this many records in one message. Our choice. */
export const MESSAGE_MAX_RECORDS = 100;
/** QStash's smallest plan takes messages up to 1 MB; ours stay well below. https://upstash.com/pricing/qstash */
export const MESSAGE_MAX_BYTES = 512_000;
/** What a message may inflate to: more than the policy ever packs, and little enough for a worker's memory. Our choice. */
export const MESSAGE_MAX_INFLATED_BYTES = 1_024_000;
/** Largest record the policy makes; what does not fit is cut and marked. Our choice. */
export const RECORD_MAX_BYTES = 8_192;
/** Longest event id the worker accepts. Our choice; a UUID has 36 characters. */
export const EVENT_ID_MAX_CHARS = 64;

/** How long a delivery holds a record before another delivery may claim it: longer than one WorkOS request. Our choice. */
export const LEASE_MS = 30_000;
/**
 * How long after its first attempt an event may be sent again under its key: WorkOS's window less a lease, in which the request
 * ends, and less ten minutes, by which the clocks of two machines may differ. Our choice.
 */
export const IDEMPOTENCY_SAFE_MS = IDEMPOTENCY_WINDOW_MS - LEASE_MS - 600_000;
/** Ledger shards: 80 events/s are 10 writes a second for each. Our choice; changing it loses the way to what is stored. */
export const LEDGER_SHARDS = 16;
/** How long the ledger remembers an event id: longer than any dead letter can be replayed. Our choice. */
export const LEDGER_RETENTION_MS = 120 * 86_400_000;

/**
 * How long a dead letter stays after it was parked: longer than QStash's longest DLQ retention (three months on its largest
 * plan), and shorter than the ledger remembers, so that nothing can be replayed that the ledger has forgotten. Our choice.
 */
export const DEAD_LETTER_RETENTION_MS = 100 * 86_400_000;

/** WorkOS sets no limit for these; ours are as for metadata values, in code points, so that an event stays readable. Our choice. */
export const TEXT_MAX_CODE_POINTS = 500;
/** A record that is too large has its texts cut further, but names and ids never below this. Our choice. */
export const TEXT_MIN_CODE_POINTS = 100;
/** Longest action: it is a path segment in WorkOS's schema API. Our choice. */
export const ACTION_MAX_CODE_POINTS = 200;
/** Longest request id and credential key id; longer ones come from a client that plays. Our choice. */
export const ID_MAX_CODE_POINTS = 128;
/** Selectors that one record names as `missing`; the count of the others stands at the end. Our choice. */
export const MISSING_MAX = 20;
