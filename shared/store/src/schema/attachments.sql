-- Files of records. Bytes lie in parts under an id of their own. Once all of them are there, they are content:
-- known by the digest of the whole, and kept once, however many records they are attached to.
CREATE TABLE content (
    digest {text} PRIMARY KEY NOT NULL,
    id {uuid} NOT NULL UNIQUE,
    size bigint NOT NULL,
    parts integer NOT NULL
){clustered};
CREATE TABLE content_part (
    content_id {uuid} NOT NULL,
    part integer NOT NULL,
    bytes {bytes} NOT NULL,
    PRIMARY KEY (content_id, part)
);

-- What the journal says at length: which revision of a record attached which content.
CREATE TABLE attachment (
    record_id {uuid} NOT NULL,
    revision bigint NOT NULL,
    digest {text} NOT NULL,
    PRIMARY KEY (record_id, revision)
){clustered};
CREATE INDEX attachment_digest ON attachment (digest);

-- Bytes that came in, and may be attached to nothing: looked at once more after some time.
CREATE TABLE arrival (
    id {uuid} PRIMARY KEY NOT NULL,
    at {time} NOT NULL
){clustered};
CREATE INDEX arrival_at ON arrival (at);
