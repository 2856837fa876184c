CREATE TABLE incidents (kind TEXT PRIMARY KEY, detail TEXT NOT NULL, since_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL);
CREATE TABLE notices ( id INTEGER PRIMARY KEY, kind TEXT NOT NULL, detail TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER, tries INTEGER NOT NULL DEFAULT 0 );
INSERT INTO incidents (kind, detail, since_ms, last_ms) VALUES ('dead_letters_rejected', 'dead letters of class "rejected" wait for an operator', 1795997391919, 1795997391919);
