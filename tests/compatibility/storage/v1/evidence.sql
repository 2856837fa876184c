CREATE TABLE anchors ( id INTEGER PRIMARY KEY, kind TEXT NOT NULL, size INTEGER NOT NULL, checkpoint TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, since_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL );
CREATE TABLE entries (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE log (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE tiles ( level INTEGER NOT NULL, position INTEGER NOT NULL, width INTEGER NOT NULL, hashes TEXT NOT NULL, PRIMARY KEY (level, position) ) WITHOUT ROWID;
CREATE TABLE versions (version INTEGER PRIMARY KEY);
INSERT INTO anchors (id, kind, size, checkpoint, tries, since_ms, due_ms) VALUES (2, 'webhook', 1, 'worker.example/evidence
1
K6adI+M+axjCiTfyT2x/9VqsRt/EFUqezWQ+zMIUMTA=

— worker.example/evidence 7/c4nvyZbSPfllQ+8UWdcjsj4TmWmBRKjnJXn+RUBv4vi208Z90syddZl+eRhY9CB2zQFwKD+Z/QtlAm3qnWu9ChWgM=
', 1, 1795997700000, 4102444800000);
INSERT INTO entries (number, text) VALUES (0, '{"dead_letters":{"discarded":0,"open":0,"parked":0,"replayed":0},"from":"2026-11-30T00:00:00.000Z","number":0,"organizations":[{"events":1,"id":"org_1","root":"bf714eae1e2b59d7852b73f6d51c7c3e7ee81de8458c85bd01a8d6b9f08efbfb"}],"previous":null,"sequences":{"isolates":0,"missing":0},"until":"2026-11-30T00:15:00.000Z","v":1}');
INSERT INTO log (id, json) VALUES (1, '{"quarter":1995553,"size":1,"published":1,"previous":"ed1b09af635e18a613062931b8e6bf7ecb5aea7294fecdc7384a57837550a8a2","edge":["2ba69d23e33e6b18c28937f24f6c7ff55aac46dfc4154a9ecd643eccc2143130"],"answeredAgain":{"7":["01a229c1-3e60-7000-8000-000000000007"]},"plan":{"facts":{"dead_letters":{"parked":0,"replayed":0,"discarded":0,"open":0},"sequences":{"isolates":0,"missing":0}},"few":{"0":[],"1":[],"2":[],"3":[],"4":[],"5":[],"6":[],"7":["01a229ce-fa00-7000-8000-000000000007"],"8":[],"9":[],"10":[],"11":[],"12":[],"13":[],"14":[],"15":[],"16":[],"17":[],"18":[],"19":[],"20":[],"21":[],"22":[],"23":[],"24":[],"25":[],"26":[],"27":[],"28":[],"29":[],"30":[],"31":[],"32":[],"33":[],"34":[],"35":[],"36":[],"37":[],"38":[],"39":[],"40":[],"41":[],"42":[],"43":[],"44":[],"45":[],"46":[],"47":[],"48":[],"49":[],"50":[],"51":[],"52":[],"53":[],"54":[],"55":[],"56":[],"57":[],"58":[],"59":[],"60":[],"61":[],"62":[],"63":[]}}}');
INSERT INTO versions (version) VALUES (1);
