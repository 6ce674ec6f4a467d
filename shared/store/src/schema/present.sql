-- Which version of each definition and scheme is in force.
CREATE TABLE present (
    kind {text} NOT NULL,
    name {text} NOT NULL,
    version integer NOT NULL,
    -- The version that ships with the product now, and the one that was fed by a folder last.
    shipped integer,
    fed integer,
    -- The shipped version that what is in force was made from, or compared with last.
    base integer,
    -- Rises with every change of any row, so that all replicas can tell whether they know of it.
    edition bigint NOT NULL UNIQUE,
    PRIMARY KEY (kind, name)
);
-- Whether the column has the values of records that were there before the field had a column.
ALTER TABLE slot ADD COLUMN filled smallint NOT NULL DEFAULT 1;
-- Under this edition the process itself was published last: nobody opens records of it by an older one.
ALTER TABLE counter ADD COLUMN edition bigint NOT NULL DEFAULT 0;
CREATE INDEX record_definition ON record (process, definition, id);
