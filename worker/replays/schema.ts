/** The tables of dead letters, replays with their items, and what is known about QStash's own dead-letter queue. */

/**
 * `live` is 1 while an operator can still act; its index serves the default list, newest first. `generation` is the replay whose
 * failure the row describes, 0 for the first delivery; `accepted` is 1 once QStash has accepted the message of the current replay.
 * Large columns come last, so that scans skip them. `links` says which entries of QStash's own dead-letter queue hold an event id,
 * `sightings` which of them have been read, `removals` which can be removed.
 */
const FIRST = `
CREATE TABLE IF NOT EXISTS dead_letters (
  event_id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  live INTEGER NOT NULL GENERATED ALWAYS AS (state IN ('open', 'replaying')) VIRTUAL,
  class TEXT NOT NULL,
  wrote TEXT NOT NULL,
  reason TEXT NOT NULL,
  status INTEGER,
  attempts INTEGER NOT NULL,
  first_attempt_at INTEGER,
  last_attempt_at INTEGER,
  parked_at INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  replays INTEGER NOT NULL DEFAULT 0,
  replay_id TEXT,
  source TEXT NOT NULL,
  action TEXT,
  organization TEXT,
  method TEXT,
  route TEXT,
  occurred_at INTEGER,
  message_id TEXT,
  dlq_id TEXT,
  accepted INTEGER NOT NULL DEFAULT 0,
  discarded TEXT,
  history TEXT NOT NULL DEFAULT '[]',
  record TEXT,
  body TEXT
);
CREATE INDEX IF NOT EXISTS dead_letters_by_time ON dead_letters (live, parked_at, event_id);

CREATE TABLE IF NOT EXISTS links (event_id TEXT NOT NULL, dlq_id TEXT NOT NULL, PRIMARY KEY (event_id, dlq_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_by_dlq ON links (dlq_id);

CREATE TABLE IF NOT EXISTS sightings (dlq_id TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS removals (dlq_id TEXT PRIMARY KEY, tries INTEGER NOT NULL, due_at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS replays (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  request TEXT NOT NULL,
  plan TEXT NOT NULL DEFAULT '{}',
  requested_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  due_at INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  in_flight TEXT NOT NULL DEFAULT '[]',
  total INTEGER NOT NULL DEFAULT 0,
  published INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  failed_again INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  troubled INTEGER NOT NULL DEFAULT 0,
  judged_seen INTEGER NOT NULL DEFAULT 0,
  judged_failed INTEGER NOT NULL DEFAULT 0,
  receipt TEXT
);
CREATE TABLE IF NOT EXISTS items (
  replay INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT,
  safe_until INTEGER,
  message_id TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  troubled INTEGER NOT NULL DEFAULT 0,
  published_at INTEGER,
  ended_at INTEGER,
  check_at INTEGER,
  PRIMARY KEY (replay, event_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_pending ON items (replay, event_id) WHERE outcome = 'pending';
CREATE INDEX IF NOT EXISTS items_to_check ON items (check_at) WHERE outcome = 'published';

CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** The plans of dry runs, and the dead letters that each of them checked. */
const PLANS = `
CREATE TABLE plans (id TEXT PRIMARY KEY, request TEXT NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER) WITHOUT ROWID;
CREATE TABLE plan_parts (plan TEXT NOT NULL, part INTEGER NOT NULL, letters TEXT NOT NULL, PRIMARY KEY (plan, part)) WITHOUT ROWID;
`;

/** Who made a plan, who controlled a replay, and who imported a dead letter. */
const NAMES = `
ALTER TABLE plans ADD COLUMN made_by TEXT;
ALTER TABLE replays ADD COLUMN planned_by TEXT;
ALTER TABLE replays ADD COLUMN controls TEXT NOT NULL DEFAULT '[]';
ALTER TABLE dead_letters ADD COLUMN imported TEXT;
`;

/**
 * A million dead letters are listed, counted and planned without reading each row. `dead_letters_listed` begins with the columns of
 * `dead_letters_by_time`, whose place it takes, and holds those that a list is filtered by.
 */
const INDEXES = `
CREATE INDEX dead_letters_listed ON dead_letters (
  live, parked_at, event_id, state, class, action, organization, route, reason, status
);
DROP INDEX dead_letters_by_time;
CREATE INDEX dead_letters_of_all_states ON dead_letters (parked_at, event_id, state);
CREATE INDEX dead_letters_by_id ON dead_letters (live, event_id);
CREATE INDEX dead_letters_by_class ON dead_letters (live, class, state, parked_at);
`;

/** Counts by organization, and the dead letters of one request, without reading each row. */
const MORE_INDEXES = `
CREATE INDEX dead_letters_by_organization ON dead_letters (live, organization, state, parked_at);
CREATE INDEX dead_letters_by_request ON dead_letters (record ->> 'requestId');
`;

/** The database, version by version; see `migrate`. The first step is the schema from before there were versions. */
export const STEPS: readonly string[] = [FIRST, PLANS, NAMES, INDEXES, MORE_INDEXES];
