CREATE TABLE outbox ( seq INTEGER PRIMARY KEY, deduplication_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, delay_s INTEGER NOT NULL, received_ms INTEGER NOT NULL );
INSERT INTO outbox (seq, deduplication_id, body, delay_s, received_ms) VALUES (1, '01a1ae27-b400-7000-8000-000500000005', '{"v":1,"records":[{"id":"01a1ae27-b400-7000-8000-000500000005","c":[]}]}', 0, 1795997391659);
INSERT INTO outbox (seq, deduplication_id, body, delay_s, received_ms) VALUES (2, 'later', '{}', 60, 1795997391659);
