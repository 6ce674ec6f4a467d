-- What only PostgreSQL has.

-- For republishing since a moment: journal rows lie in the order of their recording.
CREATE INDEX journal_at ON journal USING brin (at);

-- A queue that is filled and emptied all day: vacuumed by its size, not by a share of it.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE timer SET (autovacuum_vacuum_scale_factor = 0.02);

-- Payloads and data of some kilobytes stay in their rows as they are: to compress each one costs
-- more than the rest of its insertion.
ALTER TABLE journal SET (toast_tuple_target = 8160);
ALTER TABLE record SET (toast_tuple_target = 8160);

-- Room on each page for the next revision of its records, which then touches no index.
ALTER TABLE record SET (fillfactor = 75);
