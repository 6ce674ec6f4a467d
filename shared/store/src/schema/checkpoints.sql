-- What the journal was at moments of the past, each signed, and each with the one before it in its root.
CREATE TABLE checkpoint (
    n bigint PRIMARY KEY NOT NULL,
    at {time} NOT NULL,
    after_seq bigint NOT NULL,
    through_seq bigint NOT NULL,
    entries bigint NOT NULL,
    root {bytes} NOT NULL,
    signature {bytes} NOT NULL,
    told_at {time}
){clustered};
CREATE INDEX checkpoint_untold ON checkpoint (n) WHERE told_at IS NULL;
