//! Proof that nothing was changed behind the store's back: every chain, walked from its beginning.

use std::collections::{BTreeSet, HashMap};

use engine::Record;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

use crate::{
    Checkpoint, IsGenuine, Setback, Store, attachment,
    audience::tokens_in,
    chain::{ORIGIN, digest_of, link_of},
    checkpoint,
    entity::{journal, record, refusal, standing},
    payload,
    read::record_of,
    refusal as refusals,
    total::Check,
};

/// What was checked, and everything that is not as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub records: u64,
    pub entries: u64,
    pub refusals: u64,
    /// Files that are attached to records.
    pub files: u64,
    /// Entries whose personal data was erased: their links hold, their content cannot be replayed.
    pub erased: u64,
    /// The last checkpoint, to be compared with what was noted of it elsewhere.
    pub checkpoint: Option<Checkpoint>,
    pub faults: Vec<ChainFault>,
}

impl Report {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// One place where a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainFault {
    /// The record's number, or the id of a chain of refusals.
    pub number: String,
    /// Where in the chain.
    pub revision: u64,
    /// A sentence for a person.
    pub what: String,
}

/// Records whose chains are walked together.
const PAGE: u64 = 200;
/// A store that is broken everywhere need not be listed row by row.
const FAULTS_KEPT: usize = 1_000;

impl Store {
    /// Walks every chain of the database as it stands at one moment, while the service goes on, and
    /// compares the journal with every checkpoint. Nobody asks who signed these.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn verify(&self) -> Result<Report, Setback> {
        self.verify_signed(None).await
    }

    /// The same, and whether the checkpoints were signed by whom `is_genuine` knows.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn verify_signed(
        &self,
        is_genuine: Option<IsGenuine<'_>>,
    ) -> Result<Report, Setback> {
        let mut report = Report::default();
        let snapshot = self.read().snapshot().await?;
        let mut totals = Check::of(&self.shared().countings);
        let mut after = Uuid::nil();
        loop {
            let rows = record::Entity::find()
                .filter(record::Column::Id.gt(after))
                .order_by_asc(record::Column::Id)
                .limit(PAGE)
                .all(&snapshot)
                .await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            self.walk(rows, &snapshot, &mut report, &mut totals).await?;
        }
        strays(&snapshot, &mut report).await?;
        refused(&snapshot, &mut report).await?;
        totals.compare(&snapshot, &mut report).await?;
        attachment::check(&snapshot, &mut report).await?;
        checkpoint::check(&snapshot, self.service(), is_genuine, &mut report).await?;
        snapshot.commit().await?;
        report.faults.truncate(FAULTS_KEPT);
        Ok(report)
    }

    async fn walk(
        &self,
        rows: Vec<record::Model>,
        db: &impl ConnectionTrait,
        report: &mut Report,
        totals: &mut Check<'_>,
    ) -> Result<(), Setback> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let entries = journal::Entity::find()
            .filter(journal::Column::RecordId.is_in(ids))
            .order_by_asc(journal::Column::RecordId)
            .order_by_asc(journal::Column::Revision)
            .all(db)
            .await?;
        let sets = Query::select()
            .columns(["id", "tokens"])
            .from("audience_set")
            .and_where(Expr::col("id").is_in(rows.iter().map(|row| row.audience)))
            .to_owned();
        let mut audiences: HashMap<i32, String> = HashMap::new();
        for row in db.query_all(&sets).await? {
            audiences.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
        let mut chains: HashMap<Uuid, Vec<journal::Model>> = HashMap::new();
        for entry in entries {
            chains.entry(entry.record_id).or_default().push(entry);
        }
        let standings = standing::Entity::find()
            .filter(standing::Column::RecordId.is_in(rows.iter().map(|row| row.id)));
        let standings = standings.all(db).await?.into_iter();
        let mut standings: HashMap<Uuid, _> = standings.map(|row| (row.record_id, row)).collect();
        for row in rows {
            report.records += 1;
            let standing = standing::Model {
                record_id: row.id,
                process: row.process.clone(),
                state: row.state.clone(),
                updated_at: row.updated_at,
                closed_at: row.closed_at,
            };
            let is_listed_right = standings.remove(&row.id) == Some(standing);
            let revision = row.revision.cast_unsigned();
            let chain = chains.remove(&row.id).unwrap_or_default();
            report.entries += chain.len() as u64;
            let head = row.head.clone();
            let tokens = audiences.get(&row.audience).map(|text| tokens_in(text));
            let number = row.number.clone();
            match record_of(row, tokens.unwrap_or_default()) {
                Ok(record) => {
                    totals.count(&record);
                    check(&record, &head, &chain, report);
                }
                Err(_) => report.fault(&number, 0, "its row cannot be read"),
            }
            if !is_listed_right {
                report.fault(&number, revision, "lists find it elsewhere than where it stands");
            }
        }
        Ok(())
    }
}

impl Report {
    pub(crate) fn fault(&mut self, number: &str, revision: u64, what: impl Into<String>) {
        let (number, what) = (number.to_owned(), what.into());
        self.faults.push(ChainFault { number, revision, what });
    }
}

fn check(record: &Record, head: &[u8], chain: &[journal::Model], report: &mut Report) {
    let number = record.number.as_str();
    let mut previous = ORIGIN.to_vec();
    let mut replayed: Option<Record> = None;
    let mut can_replay = true;
    let (mut gone, mut owned, mut last_blank) = (Vec::new(), BTreeSet::<u64>::new(), 0);
    for (position, entry) in chain.iter().enumerate() {
        let revision = entry.revision.cast_unsigned();
        if revision != position as u64 + 1 {
            report.fault(number, revision, format!("revision {} is missing", position + 1));
            return;
        }
        let link = link_of(
            &previous,
            entry.record_id,
            revision,
            &entry.event_type,
            &entry.actor,
            entry.at,
            &entry.digest,
        );
        if link[..] != entry.link[..] {
            report.fault(number, revision, "the entry does not follow from the one before it");
        }
        previous.clone_from(&entry.link);
        match (&entry.payload, &entry.salt) {
            (Some(payload), Some(salt)) => {
                if digest_of(salt, payload)[..] != entry.digest[..] {
                    report.fault(number, revision, "the content is not what was recorded");
                }
                match payload::fact_in(payload) {
                    Ok(fact) => {
                        report.files += u64::from(fact.attachment.is_some());
                        owned.extend(fact.erasure.iter().flat_map(|erasure| &erasure.revisions));
                        replayed = Some(engine::apply(replayed, &fact));
                    }
                    Err(fault) => {
                        can_replay = false;
                        report.fault(number, revision, format!("the content is no fact: {fault}"));
                    }
                }
            }
            _ => {
                can_replay = false;
                report.erased += 1;
                gone.push(revision);
                if is_erasure(&entry.event_type) {
                    last_blank = revision;
                }
            }
        }
    }
    // An erasure whose own content was erased since no longer says what it took.
    for revision in gone {
        if !owned.contains(&revision) && last_blank <= revision {
            report.fault(number, revision, "its content is gone, and nobody is on record for that");
        }
    }
    if chain.len() as u64 != record.revision {
        let what = format!("{} of its {} entries are there", chain.len(), record.revision);
        report.fault(number, record.revision, what);
    } else if previous != head {
        report.fault(number, record.revision, "the record's head is not its last entry");
    } else if can_replay && replayed.as_ref() != Some(record) {
        report.fault(number, record.revision, "the record is not what its history makes of it");
    } else if !can_replay && !is_last_shown(record, chain) {
        report.fault(number, record.revision, "the record is not what its last entry shows");
    }
}

/// Whether a record that cannot be replayed is what its last entry shows of it, if that is there.
fn is_last_shown(record: &Record, chain: &[journal::Model]) -> bool {
    let Some(payload) = chain.last().and_then(|entry| entry.payload.as_ref()) else { return true };
    payload::record_in(payload, record.audience.clone())
        .is_ok_and(|shown| Record { entered_at: record.entered_at, ..shown } == *record)
}

/// Whether events of a type say that something was erased.
pub(crate) fn is_erasure(event_type: &str) -> bool {
    event_type.ends_with(ERASED)
}

/// How their types end.
pub(crate) const ERASED: &str = ".erased.v1";

/// Entries of records that are gone.
async fn strays(db: &impl ConnectionTrait, report: &mut Report) -> Result<(), Setback> {
    let known = Query::select()
        .expr(Expr::val(1))
        .from(record::Entity)
        .and_where(
            Expr::col((record::Entity, record::Column::Id))
                .equals((journal::Entity, journal::Column::RecordId)),
        )
        .to_owned();
    let rows: Vec<(String, i64)> = journal::Entity::find()
        .select_only()
        .columns([journal::Column::Number, journal::Column::Revision])
        .filter(Expr::exists(known).not())
        .limit(FAULTS_KEPT as u64)
        .into_tuple()
        .all(db)
        .await?;
    for (number, revision) in rows {
        report.fault(&number, revision.cast_unsigned(), "the record of this entry is gone");
    }
    Ok(())
}

async fn refused(db: &impl ConnectionTrait, report: &mut Report) -> Result<(), Setback> {
    let mut last: Option<(Uuid, i64, Vec<u8>)> = None;
    loop {
        let mut select = refusal::Entity::find()
            .order_by_asc(refusal::Column::Chain)
            .order_by_asc(refusal::Column::N)
            .limit(PAGE * 10);
        if let Some((chain, n, _)) = &last {
            let at =
                Expr::tuple([Expr::col(refusal::Column::Chain), Expr::col(refusal::Column::N)]);
            select = select.filter(at.gt(Expr::tuple([Expr::val(*chain), Expr::val(*n)])));
        }
        let rows = select.all(db).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            report.refusals += 1;
            let row = refusals::row_of(row);
            let (previous, n) = match &last {
                Some((chain, n, link)) if *chain == row.chain => (link.clone(), *n),
                _ => (ORIGIN.to_vec(), 0),
            };
            let (chain, at) = (row.chain.to_string(), row.n.cast_unsigned());
            if row.n != n + 1 {
                report.fault(&chain, at, format!("refusal {} is missing", n + 1));
            } else if refusals::link_of(&previous, &row) != row.link {
                report.fault(&chain, at, "the refusal does not follow from the one before it");
            }
            last = Some((row.chain, row.n, row.link.to_vec()));
        }
    }
}
