-- What records are found by in words: of each record its prose (revision 0) and each comment. The words
-- are made by the store: PostgreSQL neither parses nor stems them.
CREATE TABLE passage (
    record_id uuid NOT NULL,
    revision bigint NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (record_id, revision)
);
CREATE INDEX passage_words ON passage USING gin (words);

-- The fields of a process whose words are in there: where others shall be, its records are read again.
CREATE TABLE searched (
    process text COLLATE "C" PRIMARY KEY NOT NULL,
    fields text COLLATE "C" NOT NULL
);
