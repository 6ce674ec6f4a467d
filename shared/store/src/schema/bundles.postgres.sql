-- Events that are committed together and not yet published, by their first place in the journal: they lie
-- there one after the other. One row for all of them, where each had its own.
CREATE TABLE unsent (
    seq bigint PRIMARY KEY NOT NULL,
    events integer NOT NULL DEFAULT 1
);
INSERT INTO unsent (seq) SELECT seq FROM outbox;
DROP TABLE outbox;

-- Replicas of an older binary go on while they are replaced: what they queue here is published by the
-- newer ones, and there is nothing that they would publish themselves.
CREATE VIEW outbox AS SELECT seq FROM unsent WHERE false;

-- Filled and emptied all day: vacuumed by its size, not by a share of it.
ALTER TABLE unsent SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Alone, they would publish nothing.
UPDATE schema_info SET min_reader = 10;
