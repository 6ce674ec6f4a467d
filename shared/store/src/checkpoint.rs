//! Signed checkpoints: what the journal was at a moment. Whoever rewrites or cuts it afterwards, and works
//! the chains out anew, cannot sign that it was always so.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};
use sha2::{Digest as _, Sha256};

use crate::{
    Report, Setback, Store,
    chain::{Hash, ORIGIN},
    entity::{checkpoint, journal},
};

/// Journal rows that are read at a time.
const PAGE: u64 = 5_000;

/// Whether a signature of a statement is the service's own.
pub type IsGenuine<'a> = &'a (dyn Fn(&[u8], &[u8]) -> bool + Sync);

/// A signed statement of what stands in a part of the journal, and of what stood before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// From 1, without gaps.
    pub n: u64,
    pub at: DateTime<Utc>,
    /// It is of the rows after this sequence number,
    pub after: i64,
    /// up to and with this one:
    pub through: i64,
    /// so many.
    pub entries: u64,
    /// SHA-256 over the root before it and each row's sequence number and link.
    pub root: Vec<u8>,
    /// Of [`Checkpoint::statement`].
    pub signature: Vec<u8>,
}

impl Checkpoint {
    /// What is signed, in a form that people can read.
    #[must_use]
    pub fn statement(&self, service: &str) -> String {
        format!(
            "steward checkpoint {} of {service} at {}: {} entries after {} through {}, root {}",
            self.n,
            self.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            self.entries,
            self.after,
            self.through,
            hex::encode(&self.root),
        )
    }
}

impl Store {
    /// Makes a checkpoint of what was recorded since the last one; none when that is nothing, or when
    /// another replica has just made it.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn checkpoint(
        &self,
        sign: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Result<Option<Checkpoint>, Setback> {
        let last = self.checkpoints(1).await?.pop();
        let after = last.as_ref().map_or(0, |last| last.through);
        let Some(through) = self.shared().pools.settled().await?.filter(|seq| *seq > after) else {
            return Ok(None);
        };
        let previous = last.as_ref().map_or(&ORIGIN[..], |last| &last.root);
        let (root, entries) = root_of(self.read(), previous, after, through).await?;
        let mut made = Checkpoint {
            n: last.as_ref().map_or(0, |last| last.n) + 1,
            at: self.now(),
            after,
            through,
            entries,
            root: root.to_vec(),
            signature: Vec::new(),
        };
        made.signature = sign(made.statement(self.service()).as_bytes());
        let row = checkpoint::ActiveModel {
            n: Set(made.n.cast_signed()),
            at: Set(made.at),
            after_seq: Set(made.after),
            through_seq: Set(made.through),
            entries: Set(made.entries.cast_signed()),
            root: Set(made.root.clone()),
            signature: Set(made.signature.clone()),
            told_at: Set(None),
        };
        let written = checkpoint::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.write())
            .await?;
        Ok((written == 1).then_some(made))
    }

    /// The latest checkpoints, the newest first.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn checkpoints(&self, limit: u64) -> Result<Vec<Checkpoint>, Setback> {
        let rows = checkpoint::Entity::find()
            .order_by_desc(checkpoint::Column::N)
            .limit(limit)
            .all(self.read())
            .await?;
        Ok(rows.into_iter().map(of_row).collect())
    }

    /// Checkpoints that the bus does not have yet, the oldest first.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn untold_checkpoints(&self) -> Result<Vec<Checkpoint>, Setback> {
        let rows = checkpoint::Entity::find()
            .filter(checkpoint::Column::ToldAt.is_null())
            .order_by_asc(checkpoint::Column::N)
            .all(self.read())
            .await?;
        Ok(rows.into_iter().map(of_row).collect())
    }

    /// Remembers that the bus has a checkpoint.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn told_checkpoint(&self, n: u64) -> Result<(), Setback> {
        checkpoint::Entity::update_many()
            .col_expr(checkpoint::Column::ToldAt, Expr::value(self.now()))
            .filter(checkpoint::Column::N.eq(n.cast_signed()))
            .exec(self.write())
            .await?;
        Ok(())
    }
}

fn of_row(row: checkpoint::Model) -> Checkpoint {
    Checkpoint {
        n: row.n.cast_unsigned(),
        at: row.at,
        after: row.after_seq,
        through: row.through_seq,
        entries: row.entries.cast_unsigned(),
        root: row.root,
        signature: row.signature,
    }
}

/// The root of a part of the journal, and how many rows that is.
async fn root_of(
    db: &impl ConnectionTrait,
    previous: &[u8],
    after: i64,
    through: i64,
) -> Result<(Hash, u64), Setback> {
    let (mut hash, mut entries, mut at) = (Sha256::new_with_prefix(previous), 0, after);
    loop {
        let rows: Vec<(i64, Vec<u8>)> = journal::Entity::find()
            .select_only()
            .columns([journal::Column::Seq, journal::Column::Link])
            .filter(journal::Column::Seq.gt(at))
            .filter(journal::Column::Seq.lte(through))
            .order_by_asc(journal::Column::Seq)
            .limit(PAGE)
            .into_tuple()
            .all(db)
            .await?;
        let Some((last, _)) = rows.last() else { return Ok((hash.finalize().into(), entries)) };
        at = *last;
        entries += rows.len() as u64;
        for (seq, link) in rows {
            hash.update(seq.to_be_bytes());
            hash.update(link);
        }
    }
}

/// Compares every checkpoint with the journal as it is now; without `is_genuine` nobody asks who
/// signed.
pub(crate) async fn check(
    db: &impl ConnectionTrait,
    service: &str,
    is_genuine: Option<IsGenuine<'_>>,
    report: &mut Report,
) -> Result<(), Setback> {
    let rows = checkpoint::Entity::find().order_by_asc(checkpoint::Column::N).all(db).await?;
    let (mut n, mut through, mut previous) = (0, 0, ORIGIN.to_vec());
    for made in rows.into_iter().map(of_row) {
        n += 1;
        if made.n != n || made.after != through {
            report.fault("checkpoint", n, format!("checkpoint {n} is missing"));
            return Ok(());
        }
        let (root, entries) = root_of(db, &previous, made.after, made.through).await?;
        if entries != made.entries {
            let what = format!("{entries} of the {} entries that it saw are there", made.entries);
            report.fault("checkpoint", n, what);
        } else if root[..] != made.root[..] {
            report.fault("checkpoint", n, "the journal is not what it was then");
        }
        let statement = made.statement(service);
        if is_genuine.is_some_and(|is| !is(statement.as_bytes(), &made.signature)) {
            report.fault("checkpoint", n, "it was not signed with the service's key");
        }
        (through, previous) = (made.through, made.root.clone());
        report.checkpoint = Some(made);
    }
    Ok(())
}
