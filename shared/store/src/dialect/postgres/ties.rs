//! What hangs on records: links, ties to other services, words, keys, and what was done once or refused.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use engine::Link;
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::{Done, each};
use crate::{
    dialect::Failure,
    row::{HolderKey, MarkRow, NewLink, OnceRow, RefusalRow, TieKey, TieRow},
    search::PassageKey,
};

pub(in crate::dialect) async fn insert_links(db: &mut PgConnection, rows: &[NewLink]) -> Done {
    let sql = "INSERT INTO link (record_id, relation, inverse, other_id, other_number, \
        other_process, at) SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], \
        $5::text[], $6::text[], $7::timestamptz[])";
    query(sql)
        .bind(each(rows, |row| row.record))
        .bind(each(rows, |row| row.link.relation.as_str()))
        .bind(each(rows, |row| row.link.inverse.as_str()))
        .bind(each(rows, |row| row.link.to.id))
        .bind(each(rows, |row| row.link.to.number.as_str()))
        .bind(each(rows, |row| row.link.to.process.as_str()))
        .bind(each(rows, |row| row.at))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn drop_links(db: &mut PgConnection, links: &[(Uuid, Link)]) -> Done {
    let sql = "DELETE FROM link WHERE (record_id = $1 AND relation = $2 AND other_id = $3) \
        OR (record_id = $3 AND relation = $4 AND other_id = $1)";
    for (record, link) in links {
        let sql = query(sql).bind(record).bind(link.relation.as_str());
        sql.bind(link.to.id).bind(link.inverse.as_str()).execute(&mut *db).await?;
    }
    Ok(())
}

pub(in crate::dialect) async fn drop_ties(db: &mut PgConnection, keys: &BTreeSet<TieKey>) -> Done {
    let sql = "DELETE FROM tie WHERE record_id = $1 AND relation = $2 AND other_number = $3";
    for (record, relation, number) in keys {
        query(sql).bind(record).bind(relation).bind(number).execute(&mut *db).await?;
    }
    Ok(())
}

pub(in crate::dialect) async fn put_ties(
    db: &mut PgConnection,
    rows: &[(&TieKey, &TieRow)],
) -> Done {
    let sql = "INSERT INTO tie AS t (record_id, relation, other_number, inverse, other_process, \
        other_id, other_audience, at) SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], \
        $4::text[], $5::text[], $6::uuid[], $7::text[], $8::timestamptz[]) \
        ON CONFLICT (record_id, relation, other_number) DO UPDATE SET \
        other_id = coalesce(EXCLUDED.other_id, t.other_id), \
        other_audience = coalesce(EXCLUDED.other_audience, t.other_audience)";
    query(sql)
        .bind(each(rows, |(key, _)| key.0))
        .bind(each(rows, |(key, _)| key.1.as_str()))
        .bind(each(rows, |(key, _)| key.2.as_str()))
        .bind(each(rows, |(_, row)| row.inverse.as_str()))
        .bind(each(rows, |(_, row)| row.other_process.as_str()))
        .bind(each(rows, |(_, row)| row.other_id))
        .bind(each(rows, |(_, row)| row.other_audience.as_deref()))
        .bind(each(rows, |(_, row)| row.at))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn erase(
    db: &mut PgConnection,
    record: Uuid,
    revisions: &[i64],
) -> Done {
    let sql = "UPDATE journal SET payload = NULL, salt = NULL \
        WHERE record_id = $1 AND revision = ANY($2)";
    query(sql).bind(record).bind(revisions).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn put_passages(
    db: &mut PgConnection,
    rows: &[(&PassageKey, &str)],
) -> Done {
    let sql = "INSERT INTO passage (record_id, revision, words) \
        SELECT record_id, revision, array_to_tsvector(string_to_array(words, ' ')) \
        FROM UNNEST($1::uuid[], $2::bigint[], $3::text[]) AS p(record_id, revision, words) \
        ON CONFLICT (record_id, revision) DO UPDATE SET words = EXCLUDED.words";
    query(sql)
        .bind(each(rows, |((record, _), _)| *record))
        .bind(each(rows, |((_, revision), _)| revision.cast_signed()))
        .bind(each(rows, |(_, words)| *words))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn insert_holders(
    db: &mut PgConnection,
    rows: &[(&HolderKey, Uuid)],
) -> Done {
    let sql = "INSERT INTO holder (process, key, record_id) \
        SELECT process, key, record_id FROM UNNEST($1::text[], $2::text[], $3::uuid[]) \
        AS h(process, key, record_id) ORDER BY process, key";
    query(sql)
        .bind(each(rows, |row| row.0.process.as_str()))
        .bind(each(rows, |row| row.0.key.as_str()))
        .bind(each(rows, |row| row.1))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn move_holders(
    db: &mut PgConnection,
    rows: &[(&HolderKey, Uuid)],
) -> Done {
    let sql = "UPDATE holder AS h SET record_id = u.record_id \
        FROM UNNEST($1::text[], $2::text[], $3::uuid[]) AS u(process, key, record_id) \
        WHERE h.process = u.process AND h.key = u.key";
    query(sql)
        .bind(each(rows, |row| row.0.process.as_str()))
        .bind(each(rows, |row| row.0.key.as_str()))
        .bind(each(rows, |row| row.1))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn set_counters(db: &mut PgConnection, rows: &[(&str, i64)]) -> Done {
    let sql = "UPDATE counter AS c SET value = u.value \
        FROM UNNEST($1::text[], $2::bigint[]) AS u(process, value) WHERE c.process = u.process";
    query(sql)
        .bind(each(rows, |row| row.0))
        .bind(each(rows, |row| row.1))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn insert_onces(db: &mut PgConnection, rows: &[OnceRow]) -> Done {
    let sql = "INSERT INTO once (scope, key, digest, record_id, revision, at) \
        SELECT * FROM UNNEST($1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::bigint[], \
        $6::timestamptz[]) AS o(scope, key, digest, record_id, revision, at) ORDER BY scope, key";
    query(sql)
        .bind(each(rows, |row| row.scope.as_str()))
        .bind(each(rows, |row| row.key.as_str()))
        .bind(each(rows, |row| row.digest.as_slice()))
        .bind(each(rows, |row| row.record))
        .bind(each(rows, |row| row.revision))
        .bind(each(rows, |row| row.at))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn put_marks(
    db: &mut PgConnection,
    rows: &[MarkRow],
) -> Result<(), Failure> {
    // A message that was parked becomes done; one that another replica has just done does not
    // become done twice: it would have been found, or its row is locked and then conflicts.
    let sql = "INSERT INTO inbox AS i (consumer, message, key, position, state, outcome, attempts, at) \
        SELECT consumer, message, '', 0, 'done', outcome, 1, at FROM \
        UNNEST($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS m(consumer, message, \
        outcome, at) ORDER BY consumer, message ON CONFLICT (consumer, message) DO UPDATE \
        SET state = 'done', outcome = EXCLUDED.outcome, attempts = i.attempts + 1, due_at = NULL, \
        reason = NULL, headers = NULL, payload = NULL, at = EXCLUDED.at WHERE i.state = 'parked'";
    let done = query(sql)
        .bind(each(rows, |row| row.consumer.as_str()))
        .bind(each(rows, |row| row.message.as_str()))
        .bind(each(rows, |row| row.outcome.as_str()))
        .bind(each(rows, |row| row.at))
        .execute(db)
        .await?;
    if done.rows_affected() == rows.len() as u64 { Ok(()) } else { Err(Failure::Raced) }
}

pub(in crate::dialect) async fn add_tallies(
    db: &mut PgConnection,
    rows: &[(&str, &str, i64)],
) -> Done {
    let sql = "INSERT INTO tally AS t (consumer, outcome, count) \
        SELECT consumer, outcome, count FROM UNNEST($1::text[], $2::text[], $3::bigint[]) \
        AS n(consumer, outcome, count) ORDER BY consumer, outcome \
        ON CONFLICT (consumer, outcome) DO UPDATE SET count = t.count + EXCLUDED.count";
    query(sql)
        .bind(each(rows, |row| row.0))
        .bind(each(rows, |row| row.1))
        .bind(each(rows, |row| row.2))
        .execute(db)
        .await
        .map(drop)
}

pub(in crate::dialect) async fn insert_refusals(
    db: &mut PgConnection,
    rows: &[RefusalRow],
) -> Done {
    let sql = "INSERT INTO refusal (chain, n, at, actor, record_id, process, command, rule, code, \
        sentence, suppressed, correlation, link) SELECT * FROM UNNEST($1::uuid[], $2::bigint[], \
        $3::timestamptz[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], \
        $10::text[], $11::bigint[], $12::uuid[], $13::bytea[])";
    query(sql)
        .bind(each(rows, |row| row.chain))
        .bind(each(rows, |row| row.n))
        .bind(each::<_, DateTime<Utc>>(rows, |row| row.at))
        .bind(each(rows, |row| row.actor.as_str()))
        .bind(each(rows, |row| row.record))
        .bind(each(rows, |row| row.process.as_str()))
        .bind(each(rows, |row| row.command.as_str()))
        .bind(each(rows, |row| row.rule.as_str()))
        .bind(each(rows, |row| row.code.as_str()))
        .bind(each(rows, |row| row.sentence.as_str()))
        .bind(each(rows, |row| row.suppressed))
        .bind(each(rows, |row| row.correlation))
        .bind(each(rows, |row| row.link.as_slice()))
        .execute(db)
        .await
        .map(drop)
}
