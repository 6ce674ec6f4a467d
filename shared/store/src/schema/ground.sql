-- The tables of a service's database. Words in braces stand for the dialect's own types: see schema.rs.

CREATE TABLE schema_info (
    id smallint PRIMARY KEY,
    version integer NOT NULL,
    min_reader integer NOT NULL
);
INSERT INTO schema_info (id, version, min_reader) VALUES (1, 1, 1);

-- What was published, and the number that this database gave it.
CREATE TABLE definition (
    kind {text} NOT NULL,
    name {text} NOT NULL,
    version integer NOT NULL,
    digest {text} NOT NULL,
    content {text} NOT NULL,
    published_at {time} NOT NULL,
    origin {text} NOT NULL,
    PRIMARY KEY (kind, name, version),
    UNIQUE (kind, name, digest)
);

-- Which typed column of `record` holds an indexed field of a process; never reassigned.
CREATE TABLE slot (
    process {text} NOT NULL,
    field {text} NOT NULL,
    place {text} NOT NULL,
    PRIMARY KEY (process, field),
    UNIQUE (process, place)
);

CREATE TABLE audience_set (
    id {serial},
    digest {bytes} NOT NULL UNIQUE,
    tokens {text} NOT NULL
);
CREATE TABLE audience_token (
    token {text} NOT NULL,
    set_id integer NOT NULL,
    PRIMARY KEY (token, set_id)
){clustered};

CREATE TABLE record (
    id {uuid} PRIMARY KEY NOT NULL,
    process {text} NOT NULL,
    number {text} NOT NULL UNIQUE,
    definition integer NOT NULL,
    state {text} NOT NULL,
    revision bigint NOT NULL,
    data {text} NOT NULL,
    audience integer NOT NULL,
    opened_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    entered_at {time} NOT NULL,
    closed_at {time},
    opened_by {text} NOT NULL,
    partition smallint NOT NULL,
    head {bytes} NOT NULL,
    text1 {text}, text2 {text}, text3 {text}, text4 {text},
    text5 {text}, text6 {text}, text7 {text}, text8 {text},
    number1 {double}, number2 {double}, number3 {double}, number4 {double},
    time1 {time}, time2 {time}, time3 {time}, time4 {time}
);
CREATE INDEX record_opened ON record (process, opened_at, id);
CREATE INDEX record_opener ON record (process, opened_by, id);
CREATE INDEX record_audience ON record (audience, process);
-- An indexed field costs a write to its index only where it has a value.
CREATE INDEX record_text1 ON record (process, text1, id) WHERE text1 IS NOT NULL;
CREATE INDEX record_text2 ON record (process, text2, id) WHERE text2 IS NOT NULL;
CREATE INDEX record_text3 ON record (process, text3, id) WHERE text3 IS NOT NULL;
CREATE INDEX record_text4 ON record (process, text4, id) WHERE text4 IS NOT NULL;
CREATE INDEX record_text5 ON record (process, text5, id) WHERE text5 IS NOT NULL;
CREATE INDEX record_text6 ON record (process, text6, id) WHERE text6 IS NOT NULL;
CREATE INDEX record_text7 ON record (process, text7, id) WHERE text7 IS NOT NULL;
CREATE INDEX record_text8 ON record (process, text8, id) WHERE text8 IS NOT NULL;
CREATE INDEX record_number1 ON record (process, number1, id) WHERE number1 IS NOT NULL;
CREATE INDEX record_number2 ON record (process, number2, id) WHERE number2 IS NOT NULL;
CREATE INDEX record_number3 ON record (process, number3, id) WHERE number3 IS NOT NULL;
CREATE INDEX record_number4 ON record (process, number4, id) WHERE number4 IS NOT NULL;
CREATE INDEX record_time1 ON record (process, time1, id) WHERE time1 IS NOT NULL;
CREATE INDEX record_time2 ON record (process, time2, id) WHERE time2 IS NOT NULL;
CREATE INDEX record_time3 ON record (process, time3, id) WHERE time3 IS NOT NULL;
CREATE INDEX record_time4 ON record (process, time4, id) WHERE time4 IS NOT NULL;

-- What lists walk by and nearly every step changes, kept apart: a step that changed an indexed column
-- of `record` would write to every index of `record`.
CREATE TABLE standing (
    record_id {uuid} PRIMARY KEY NOT NULL,
    process {text} NOT NULL,
    state {text} NOT NULL,
    updated_at {time} NOT NULL,
    closed_at {time}
){clustered};
CREATE INDEX standing_updated ON standing (process, updated_at, record_id);
CREATE INDEX standing_state ON standing (process, state, updated_at, record_id);
CREATE INDEX standing_closed ON standing (process, closed_at, record_id)
    WHERE closed_at IS NOT NULL;

-- The audit log, and the source of every event: append-only, hash-linked per record.
CREATE TABLE journal (
    seq {sequence},
    -- Derived from the record and the revision, hence as unique as these are.
    event_id {uuid} NOT NULL,
    record_id {uuid} NOT NULL,
    revision bigint NOT NULL,
    process {text} NOT NULL,
    number {text} NOT NULL,
    event_type {text} NOT NULL,
    at {time} NOT NULL,
    occurred_at {time} NOT NULL,
    actor {text} NOT NULL,
    audience {text} NOT NULL,
    correlation {uuid} NOT NULL,
    causation {text},
    traceparent {text},
    payload {bytes},
    salt {bytes},
    digest {bytes} NOT NULL,
    link {bytes} NOT NULL,
    UNIQUE (record_id, revision)
);

-- What is not yet published. Rows are the queue: there is no cursor that could pass one by.
CREATE TABLE outbox (
    seq bigint PRIMARY KEY NOT NULL
);

CREATE TABLE timer (
    record_id {uuid} NOT NULL,
    transition {text} NOT NULL,
    process {text} NOT NULL,
    due_at {time} NOT NULL,
    PRIMARY KEY (record_id, transition)
){clustered};
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE link (
    record_id {uuid} NOT NULL,
    relation {text} NOT NULL,
    inverse {text} NOT NULL,
    other_id {uuid} NOT NULL,
    other_number {text} NOT NULL,
    other_process {text} NOT NULL,
    at {time} NOT NULL,
    PRIMARY KEY (record_id, relation, other_id)
){clustered};
CREATE INDEX link_other ON link (other_id);

-- The one record of a process that an outside key stands for.
CREATE TABLE holder (
    process {text} NOT NULL,
    key {text} NOT NULL,
    record_id {uuid} NOT NULL,
    PRIMARY KEY (process, key)
){clustered};

CREATE TABLE counter (
    process {text} PRIMARY KEY NOT NULL,
    value bigint NOT NULL
){clustered};

-- Idempotency keys and what they did.
CREATE TABLE once (
    scope {text} NOT NULL,
    key {text} NOT NULL,
    digest {bytes} NOT NULL,
    record_id {uuid},
    revision bigint NOT NULL,
    at {time} NOT NULL,
    PRIMARY KEY (scope, key)
){clustered};
CREATE INDEX once_at ON once (at);

CREATE TABLE inbox (
    consumer {text} NOT NULL,
    message {text} NOT NULL,
    key {text} NOT NULL,
    position bigint NOT NULL,
    state {text} NOT NULL,
    outcome {text},
    attempts integer NOT NULL,
    due_at {time},
    reason {text},
    subject {text},
    headers {text},
    payload {bytes},
    at {time} NOT NULL,
    PRIMARY KEY (consumer, message)
){clustered};
CREATE INDEX inbox_waiting ON inbox (consumer, key, position) WHERE state <> 'done';
CREATE INDEX inbox_due ON inbox (consumer, due_at) WHERE state = 'parked';
CREATE INDEX inbox_done ON inbox (at) WHERE state = 'done';

CREATE TABLE tally (
    consumer {text} NOT NULL,
    outcome {text} NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (consumer, outcome)
){clustered};

-- Microseconds since 1970 by the database's own clock: the one that all replicas share.
CREATE TABLE lease (
    name {text} PRIMARY KEY NOT NULL,
    owner {text} NOT NULL,
    token bigint NOT NULL,
    until bigint NOT NULL
){clustered};

-- What rules said no to; one hash chain for each start of a writer.
CREATE TABLE refusal (
    chain {uuid} NOT NULL,
    n bigint NOT NULL,
    at {time} NOT NULL,
    actor {text} NOT NULL,
    record_id {uuid},
    process {text} NOT NULL,
    command {text} NOT NULL,
    rule {text} NOT NULL,
    code {text} NOT NULL,
    sentence {text} NOT NULL,
    suppressed bigint NOT NULL,
    correlation {uuid} NOT NULL,
    link {bytes} NOT NULL,
    PRIMARY KEY (chain, n)
){clustered};
CREATE INDEX refusal_at ON refusal (at);
