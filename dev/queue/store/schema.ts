/**
 * The first version of the tables.
 *
 * One row a message, from acceptance to the end of the log's retention: `ended_at` is null while it waits or is under
 * way, and `dlq_seq` is set while it is in the dead-letter queue (it is the sequence of its FAILED log entry).
 * The body comes last, so that a listing's filters never read its overflow pages.
 */
const FIRST = `
CREATE TABLE IF NOT EXISTS message (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  lane TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  retried INTEGER NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,
  path TEXT NOT NULL,
  flow_key TEXT,
  queue TEXT,
  caller_ip TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  ended_at INTEGER,
  dlq_seq INTEGER,
  response_status INTEGER,
  response_header TEXT,
  options TEXT NOT NULL,
  response_body BLOB,
  body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS message_due ON message (lane, due_at, seq) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS message_open ON message (lane, seq) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS message_ended ON message (ended_at) WHERE ended_at IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS dlq_order ON message (dlq_seq) WHERE dlq_seq IS NOT NULL;
CREATE INDEX IF NOT EXISTS dlq_url ON message (url, dlq_seq) WHERE dlq_seq IS NOT NULL;
CREATE INDEX IF NOT EXISTS dlq_flow_key ON message (flow_key, dlq_seq) WHERE dlq_seq IS NOT NULL;
CREATE INDEX IF NOT EXISTS dlq_status ON message (response_status, dlq_seq) WHERE dlq_seq IS NOT NULL;
CREATE INDEX IF NOT EXISTS dlq_time ON message (ended_at, dlq_seq) WHERE dlq_seq IS NOT NULL;

CREATE TABLE IF NOT EXISTS label (
  label TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
  PRIMARY KEY (label, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS label_message ON label (seq);

CREATE TABLE IF NOT EXISTS event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  message_seq INTEGER NOT NULL REFERENCES message (seq) ON DELETE CASCADE,
  time INTEGER NOT NULL,
  state TEXT NOT NULL,
  next_delivery INTEGER,
  error TEXT,
  response_status INTEGER,
  response_header TEXT,
  response_body BLOB
);
CREATE INDEX IF NOT EXISTS event_message ON event (message_seq, seq);
CREATE INDEX IF NOT EXISTS event_state ON event (state, seq);
CREATE INDEX IF NOT EXISTS event_time ON event (time);

CREATE TABLE IF NOT EXISTS deduplication (
  id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deduplication_expiry ON deduplication (expires_at);

CREATE TABLE IF NOT EXISTS flow_key (
  key TEXT PRIMARY KEY,
  parallelism INTEGER NOT NULL,
  rate INTEGER NOT NULL,
  period INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  pinned_parallelism INTEGER NOT NULL,
  pinned_rate INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS queue (
  name TEXT PRIMARY KEY,
  parallelism INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** URL groups, and the group and endpoint that a message was published to. */
const URL_GROUPS = `
ALTER TABLE message ADD COLUMN url_group TEXT;
ALTER TABLE message ADD COLUMN endpoint_name TEXT;
CREATE INDEX message_group ON message (url_group, seq) WHERE url_group IS NOT NULL;
CREATE TABLE url_group (
  name TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE endpoint (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  group_name TEXT NOT NULL REFERENCES url_group (name) ON DELETE CASCADE,
  name TEXT,
  url TEXT NOT NULL,
  UNIQUE (group_name, name),
  UNIQUE (group_name, url)
);
`;

/** The steps from an empty file to the current tables. A released step never changes: a change is a new step. */
export const SCHEMA_STEPS: readonly string[] = [FIRST, URL_GROUPS];
