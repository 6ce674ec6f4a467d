//! What hangs on records: links, ties to other services, words, keys, and what was done once or refused.

use std::collections::BTreeSet;

use engine::Link;
use sqlx::{SqliteConnection, query};
use uuid::Uuid;

use super::{Done, insert, json};
use crate::{
    dialect::Failure,
    row::{HolderKey, MarkRow, NewLink, OnceRow, RefusalRow, TieKey, TieRow},
    search::PassageKey,
};

pub(in crate::dialect) async fn insert_links(db: &mut SqliteConnection, rows: &[NewLink]) -> Done {
    let head = "INSERT INTO link (record_id, relation, inverse, other_id, other_number, \
        other_process, at)";
    insert(db, head, 7, "", rows, |sql, row| {
        sql.bind(row.record)
            .bind(row.link.relation.as_str())
            .bind(row.link.inverse.as_str())
            .bind(row.link.to.id)
            .bind(row.link.to.number.as_str())
            .bind(row.link.to.process.as_str())
            .bind(row.at)
    })
    .await
    .map(drop)
}

pub(in crate::dialect) async fn drop_links(
    db: &mut SqliteConnection,
    links: &[(Uuid, Link)],
) -> Done {
    let sql = "DELETE FROM link WHERE (record_id = ?1 AND relation = ?2 AND other_id = ?3) \
        OR (record_id = ?3 AND relation = ?4 AND other_id = ?1)";
    for (record, link) in links {
        let sql = query(sql).bind(record).bind(link.relation.as_str());
        sql.bind(link.to.id).bind(link.inverse.as_str()).execute(&mut *db).await?;
    }
    Ok(())
}

pub(in crate::dialect) async fn drop_ties(
    db: &mut SqliteConnection,
    keys: &BTreeSet<TieKey>,
) -> Done {
    let sql = "DELETE FROM tie WHERE record_id = ?1 AND relation = ?2 AND other_number = ?3";
    for (record, relation, number) in keys {
        query(sql).bind(record).bind(relation).bind(number).execute(&mut *db).await?;
    }
    Ok(())
}

pub(in crate::dialect) async fn put_ties(
    db: &mut SqliteConnection,
    rows: &[(&TieKey, &TieRow)],
) -> Done {
    const HEAD: &str = "INSERT INTO tie (record_id, relation, other_number, inverse, other_process, \
        other_id, other_audience, at)";
    const TAIL: &str = "ON CONFLICT (record_id, relation, other_number) DO UPDATE SET \
        other_id = coalesce(excluded.other_id, tie.other_id), \
        other_audience = coalesce(excluded.other_audience, tie.other_audience)";
    insert(db, HEAD, 8, TAIL, rows, |sql, (key, row)| {
        sql.bind(key.0)
            .bind(key.1.as_str())
            .bind(key.2.as_str())
            .bind(row.inverse.as_str())
            .bind(row.other_process.as_str())
            .bind(row.other_id)
            .bind(row.other_audience.as_deref())
            .bind(row.at)
    })
    .await
    .map(drop)
}

pub(in crate::dialect) async fn erase(
    db: &mut SqliteConnection,
    record: Uuid,
    revisions: &[i64],
) -> Done {
    let sql = "UPDATE journal SET payload = NULL, salt = NULL \
        WHERE record_id = ? AND revision IN (SELECT value FROM json_each(?))";
    query(sql).bind(record).bind(json(&revisions)).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn put_passages(
    db: &mut SqliteConnection,
    rows: &[(&PassageKey, &str)],
) -> Done {
    const DOCS: &str = "INSERT INTO passage (record_id, revision) \
        SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING";
    const WORDS: &str = "INSERT OR REPLACE INTO passage_words (rowid, words) \
        SELECT p.doc, k.value ->> 2 FROM json_each(?) AS k CROSS JOIN passage AS p \
        ON p.record_id = unhex(k.value ->> 0) AND p.revision = k.value ->> 1";
    let rows: Vec<_> = rows
        .iter()
        .map(|((record, revision), words)| (record.simple().to_string(), revision, words))
        .collect();
    let rows = json(&rows);
    query(DOCS).bind(rows.as_str()).execute(&mut *db).await?;
    query(WORDS).bind(rows).execute(db).await.map(drop)
}

pub(in crate::dialect) async fn insert_holders(
    db: &mut SqliteConnection,
    rows: &[(&HolderKey, Uuid)],
) -> Done {
    let head = "INSERT INTO holder (process, key, record_id)";
    insert(db, head, 3, "", rows, |sql, row| {
        sql.bind(row.0.process.as_str()).bind(row.0.key.as_str()).bind(row.1)
    })
    .await
    .map(drop)
}

pub(in crate::dialect) async fn move_holders(
    db: &mut SqliteConnection,
    rows: &[(&HolderKey, Uuid)],
) -> Done {
    let sql = "UPDATE holder SET record_id = ? WHERE process = ? AND key = ?";
    for (key, record) in rows {
        let moved = query(sql).bind(*record).bind(key.process.as_str()).bind(key.key.as_str());
        moved.execute(&mut *db).await?;
    }
    Ok(())
}

pub(in crate::dialect) async fn set_counters(
    db: &mut SqliteConnection,
    rows: &[(&str, i64)],
) -> Done {
    let sql = "UPDATE counter SET value = ? WHERE process = ?";
    for (process, value) in rows {
        query(sql).bind(*value).bind(*process).execute(&mut *db).await?;
    }
    Ok(())
}

pub(in crate::dialect) async fn insert_onces(db: &mut SqliteConnection, rows: &[OnceRow]) -> Done {
    let head = "INSERT INTO once (scope, key, digest, record_id, revision, at)";
    insert(db, head, 6, "", rows, |sql, row| {
        sql.bind(row.scope.as_str())
            .bind(row.key.as_str())
            .bind(row.digest.as_slice())
            .bind(row.record)
            .bind(row.revision)
            .bind(row.at)
    })
    .await
    .map(drop)
}

pub(in crate::dialect) async fn put_marks(
    db: &mut SqliteConnection,
    rows: &[MarkRow],
) -> Result<(), Failure> {
    const HEAD: &str = "INSERT INTO inbox (consumer, message, key, position, state, outcome, \
        attempts, at)";
    const TAIL: &str = "ON CONFLICT (consumer, message) DO UPDATE SET state = 'done', \
        outcome = excluded.outcome, attempts = inbox.attempts + 1, due_at = NULL, reason = NULL, \
        headers = NULL, payload = NULL, at = excluded.at WHERE inbox.state = 'parked'";
    let written = insert(db, HEAD, 8, TAIL, rows, |sql, row| {
        sql.bind(row.consumer.as_str())
            .bind(row.message.as_str())
            .bind("")
            .bind(0_i64)
            .bind("done")
            .bind(row.outcome.as_str())
            .bind(1_i32)
            .bind(row.at)
    })
    .await?;
    if written.rows_affected() == rows.len() as u64 { Ok(()) } else { Err(Failure::Raced) }
}

pub(in crate::dialect) async fn add_tallies(
    db: &mut SqliteConnection,
    rows: &[(&str, &str, i64)],
) -> Done {
    let head = "INSERT INTO tally (consumer, outcome, count)";
    let tail = "ON CONFLICT (consumer, outcome) DO UPDATE SET count = tally.count + excluded.count";
    insert(db, head, 3, tail, rows, |sql, row| sql.bind(row.0).bind(row.1).bind(row.2))
        .await
        .map(drop)
}

pub(in crate::dialect) async fn insert_refusals(
    db: &mut SqliteConnection,
    rows: &[RefusalRow],
) -> Done {
    const HEAD: &str = "INSERT INTO refusal (chain, n, at, actor, record_id, process, command, rule, \
        code, sentence, suppressed, correlation, link)";
    insert(db, HEAD, 13, "", rows, |sql, row| {
        sql.bind(row.chain)
            .bind(row.n)
            .bind(row.at)
            .bind(row.actor.as_str())
            .bind(row.record)
            .bind(row.process.as_str())
            .bind(row.command.as_str())
            .bind(row.rule.as_str())
            .bind(row.code.as_str())
            .bind(row.sentence.as_str())
            .bind(row.suppressed)
            .bind(row.correlation)
            .bind(row.link.as_slice())
    })
    .await
    .map(drop)
}
