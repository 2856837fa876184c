/** Every limit of the system, each with its source. Units end the names. */

/** WorkOS metadata objects: at most 50 keys. https://workos.com/docs/audit-logs/metadata-schema */
export const METADATA_MAX_KEYS = 50;
/** Custom metadata keys of an event: the 50 of WorkOS less the keys of `EVENT_METADATA`. A test compares the two. */
export const CUSTOM_METADATA_MAX_KEYS = 22;
/** WorkOS metadata keys: `^[a-zA-Z0-9_-]{0,40}$` in the published OpenAPI description. */
export const METADATA_KEY_MAX_CHARS = 40;
/** WorkOS metadata strings: 500, counted in code points (measured with ajv on the published description). */
export const METADATA_VALUE_MAX_CODE_POINTS = 500;
/** The real WorkOS server refuses more than 20 targets (https://github.com/dust-tt/dust/pull/27021). */
export const EVENT_MAX_TARGETS = 20;
/** Most records that one request leaves, by `each` or as a batch. The others are only counted. Our choice. */
export const EACH_MAX_RECORDS = 20;
/** WorkOS answers "request entity too large" near 100 kB; production users stop at 60,000 (https://github.com/dust-tt/dust/pull/26412). */
export const EVENT_MAX_BYTES = 60_000;
/** WorkOS repeats a stored answer to an idempotency key for 24 h. https://workos.com/docs/reference/idempotency */
export const IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000;
/** Longest time of one request to WorkOS. Shorter than QStash's timeout for a delivery. Our choice. */
export const WORKOS_TIMEOUT_MS = 15_000;
/** QStash ignores a `Retry-After` of more than a day, so the worker never asks for more. https://upstash.com/docs/qstash/features/retry */
export const RETRY_AFTER_MAX_MS = 86_400_000;

/** Most records in one message that the worker accepts. Our choice. */
export const MESSAGE_MAX_RECORDS = 100;
/** Largest message. QStash's smallest plan accepts up to 1 MB. https://upstash.com/pricing/qstash */
export const MESSAGE_MAX_BYTES = 512_000;
/** Largest size of an inflated message: more than the policy ever packs, and small enough for a worker's memory. Our choice. */
export const MESSAGE_MAX_INFLATED_BYTES = 1_024_000;
/** Largest record that the policy makes. It cuts the rest and marks the cut. Our choice. */
export const RECORD_MAX_BYTES = 8_192;
/** Longest event id that the worker accepts. A UUID has 36 characters. Our choice. */
export const EVENT_ID_MAX_CHARS = 64;

/** How long a delivery holds a record before another delivery may claim it: longer than one WorkOS request. Our choice. */
export const LEASE_MS = 30_000;
/**
 * How long after its first attempt an event may be sent again under its key. It is WorkOS's window, less a lease for the request
 * to end, and less ten minutes for the difference between two clocks. Our choice.
 */
export const IDEMPOTENCY_SAFE_MS = IDEMPOTENCY_WINDOW_MS - LEASE_MS - 600_000;
/**
 * Ledger shards. At 100 events/s for 120 days, each holds 2.8 of its 10 GB. A change needs a takeover, as from the former number: stored
 * rows could not be found otherwise. Our choice.
 */
export const LEDGER_SHARDS = 64;
/** Ledger shards of the releases up to November 2026, which divides the number of today. */
export const LEDGER_FORMER_SHARDS = 16;
/** A SQLite Durable Object holds 10 GB. https://developers.cloudflare.com/durable-objects/platform/limits/ */
export const OBJECT_MAX_BYTES = 10_000_000_000;
/** How long the ledger remembers an event id: longer than any dead letter can be replayed. Our choice. */
export const LEDGER_RETENTION_MS = 120 * 86_400_000;

/**
 * How long a dead letter is kept. Longer than QStash's longest DLQ retention (three months on its largest plan). Shorter than the
 * ledger's retention, so a record that the ledger has forgotten cannot be replayed. Our choice.
 */
export const DEAD_LETTER_RETENTION_MS = 100 * 86_400_000;

/** Longest text of other fields, in code points, as for metadata values. WorkOS sets no limit. Our choice. */
export const TEXT_MAX_CODE_POINTS = 500;
/** Shortest length to which names and ids are cut if a record is too large. Our choice. */
export const TEXT_MIN_CODE_POINTS = 100;
/** Longest action: it is a path segment in WorkOS's schema API. Our choice. */
export const ACTION_MAX_CODE_POINTS = 200;
/** Longest request id and credential key id; only an abusive client sends a longer one. Our choice. */
export const ID_MAX_CODE_POINTS = 128;
/** Selectors that one record lists in `missing`, followed by the count of the others. Our choice. */
export const MISSING_MAX = 20;
