-- Links whose other end is a record of another service. That service alone knows the record: what is
-- known of it here from the beginning is its number; its id and who may see it come with its answer.
CREATE TABLE tie (
    record_id {uuid} NOT NULL,
    relation {text} NOT NULL,
    inverse {text} NOT NULL,
    other_number {text} NOT NULL,
    other_process {text} NOT NULL,
    other_id {uuid},
    other_audience {text},
    at {time} NOT NULL,
    PRIMARY KEY (record_id, relation, other_number)
){clustered};
