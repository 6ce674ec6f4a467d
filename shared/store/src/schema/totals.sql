-- What records count as, added up, so that a report over a month reads days and not records.

-- Counted in whole days and, for what begins or ends within a day, in quarters of an hour.
CREATE TABLE total (
    process {text} NOT NULL,
    -- Seconds: 86400 or 900.
    span integer NOT NULL,
    -- Its beginning, in seconds since 1970.
    since bigint NOT NULL,
    audience integer NOT NULL,
    what {text} NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (process, span, since, audience, what)
){clustered};

-- By which version of the service's counting the totals of a process were made.
CREATE TABLE counting (
    process {text} PRIMARY KEY NOT NULL,
    version integer NOT NULL
){clustered};

-- Spans of time whose totals are kept as they were, each under the record that closed it.
CREATE TABLE closing (
    record_id {uuid} PRIMARY KEY NOT NULL,
    process {text} NOT NULL,
    since bigint NOT NULL,
    until bigint NOT NULL
){clustered};
CREATE INDEX closing_until ON closing (process, until);
CREATE TABLE closed_total (
    closing {uuid} NOT NULL,
    audience integer NOT NULL,
    what {text} NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (closing, audience, what)
){clustered};

-- What changed in a closed span since: which record, by whom, from what to what.
CREATE TABLE restatement (
    closing {uuid} NOT NULL,
    record_id {uuid} NOT NULL,
    revision bigint NOT NULL,
    number {text} NOT NULL,
    at {time} NOT NULL,
    actor {text} NOT NULL,
    event_type {text} NOT NULL,
    was {text},
    was_at bigint,
    was_audience integer,
    became {text},
    became_at bigint,
    became_audience integer,
    PRIMARY KEY (closing, record_id, revision)
){clustered};

-- A binary that does not count would leave the totals behind what it writes.
UPDATE schema_info SET min_reader = 3;
