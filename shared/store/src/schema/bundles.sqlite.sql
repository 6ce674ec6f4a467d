-- Events that are committed together and not yet published, by their first place in the journal: they lie
-- there one after the other. One row for all of them, where each had its own.
CREATE TABLE unsent (
    seq bigint PRIMARY KEY NOT NULL,
    events integer NOT NULL DEFAULT 1
);
INSERT INTO unsent (seq) SELECT seq FROM outbox;
DROP TRIGGER journal_outbox;
DROP TABLE outbox;
UPDATE schema_info SET min_reader = 10;
