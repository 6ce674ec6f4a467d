-- How far each lane of a consumer has come in its stream.

CREATE TABLE place (
    lane {text} PRIMARY KEY NOT NULL,
    -- When the stream was made that the sequence is of.
    made {text} NOT NULL,
    sequence bigint NOT NULL,
    -- Of the lease under which it was written: what an owner of old writes late counts no more.
    token bigint NOT NULL
){clustered};
