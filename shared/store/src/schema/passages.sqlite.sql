-- What records are found by in words: of each record its prose (revision 0) and each comment. The words
-- are made by the store; SQLite keeps nothing but their index.
CREATE TABLE passage (
    doc INTEGER PRIMARY KEY AUTOINCREMENT,
    record_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    UNIQUE (record_id, revision)
);
CREATE VIRTUAL TABLE passage_words USING fts5 (
    words, content='', contentless_delete=1, detail=none, tokenize=ascii
);

-- The fields of a process whose words are in there: where others shall be, its records are read again.
CREATE TABLE searched (
    process TEXT PRIMARY KEY NOT NULL,
    fields TEXT NOT NULL
) WITHOUT ROWID;
