/** The state that must survive a restart, one row per change, in order. Without a file, nothing is written. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { KeptAnswer } from "./idempotency.ts";
import type { StoredEvent } from "./types.ts";

/** An event and the stored answer of its key are one entry, so that a crash cannot separate them. */
type JournalEntry =
  | { readonly kind: "event"; readonly event: StoredEvent; readonly kept?: KeptAnswer | undefined }
  | { readonly kind: "answer"; readonly kept: KeptAnswer }
  | { readonly kind: "schema"; readonly action: string; readonly schema: unknown; readonly created_at: string };

export interface Journal {
  read(): Iterable<JournalEntry>;
  write(entry: JournalEntry): void;
  clear(): void;
  close(): void;
}

/** Opens the journal in a SQLite file; a killed process loses nothing that it has answered (a power cut may). */
export function openJournal(path: string | undefined): Journal {
  if (path === undefined) return { read: () => [], write: () => {}, clear: () => {}, close: () => {} };
  const database = new DatabaseSync(path);
  // Pages reach the operating system at each commit, which is enough to survive a kill.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.exec("CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY, entry TEXT NOT NULL) STRICT");
  const insert: StatementSync = database.prepare("INSERT INTO journal (entry) VALUES (?)");
  return {
    read: () => readAll(database),
    write: (entry) => void insert.run(JSON.stringify(entry)),
    clear: () => database.exec("DELETE FROM journal"),
    close: () => (database.isOpen ? database.close() : undefined),
  };
}

function* readAll(database: DatabaseSync): Iterable<JournalEntry> {
  for (const row of database.prepare("SELECT entry FROM journal ORDER BY seq").iterate()) {
    yield JSON.parse(String(row["entry"])) as JournalEntry;
  }
}
