//! Deliveries of the bus: what is done, what waits for another try, and what nobody could take.
//!
//! A message that fails is parked, and later ones of the same key wait behind it, so that order is
//! kept where it matters and others go on. After bounded tries it is a dead letter: the ones behind
//! it wait until somebody sends it round again, or gives it up.

mod queries;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
    sea_query::{Alias, Expr, OnConflict, Query},
};

use self::queries::{all_in, aside_of, heads, is, keys_aside};
use crate::{
    Fence, Setback, Store,
    entity::{inbox, once, tally},
    text::{indexable, printable},
};

pub(crate) const DONE: &str = "done";
pub(crate) const PARKED: &str = "parked";
pub(crate) const DEAD: &str = "dead";
/// The outcome of a dead letter that somebody gave up.
pub const GIVEN_UP: &str = "given_up";

/// A message to be parked or buried, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub consumer: String,
    /// As in [`crate::Mark::message`].
    pub message: String,
    /// What order is kept for: the record, or the alert.
    pub key: String,
    /// Its sequence in the stream: the order within the key.
    pub position: i64,
    pub subject: String,
    pub headers: Vec<(String, String)>,
    pub payload: Vec<u8>,
    /// Why it could not be taken, for a person.
    pub reason: String,
    /// When it came first.
    pub at: DateTime<Utc>,
}

/// A letter in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub letter: Letter,
    pub attempts: u32,
    /// When it is tried again; `None` for a dead letter.
    pub due: Option<DateTime<Utc>>,
    pub is_dead: bool,
}

/// How many deliveries of a consumer ended in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub consumer: String,
    pub outcome: String,
    pub count: u64,
}

impl Store {
    /// Of these keys, those that a parked or dead message blocks: what comes for them has to be
    /// parked behind it.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn blocked(
        &self,
        consumer: &str,
        keys: &[String],
    ) -> Result<std::collections::HashSet<String>, Setback> {
        let asked: Vec<_> = keys.iter().map(|key| indexable(key)).collect();
        let mut found = std::collections::HashSet::new();
        for part in asked.chunks(1_000) {
            let blocked = keys_aside(consumer, part.iter().map(AsRef::as_ref));
            found.extend(blocked.into_tuple::<String>().all(self.read()).await?);
        }
        let is_blocked = |key: &&String| found.contains(indexable(key).as_ref());
        Ok(keys.iter().filter(is_blocked).cloned().collect())
    }

    /// Whether any message of the consumer is parked or dead.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn has_aside(&self, consumer: &str) -> Result<bool, Setback> {
        let found = aside_of(consumer).into_tuple::<String>().one(self.read()).await?;
        Ok(found.is_some())
    }

    /// Parks a message until `due`; answers how often it was tried. Parking what is parked counts
    /// one more try; what is done or dead stays so.
    ///
    /// # Errors
    /// [`Setback::Duplicate`] when it is done or dead, [`Setback::Fenced`] when another replica
    /// holds the lease, [`Setback::Broken`] when the database fails.
    pub async fn park(
        &self,
        letter: &Letter,
        due: DateTime<Utc>,
        fence: Option<&Fence>,
    ) -> Result<u32, Setback> {
        self.put_aside(letter, PARKED, Some(due), fence).await
    }

    /// Makes a message a dead letter; answers how often it was tried.
    ///
    /// # Errors
    /// As [`Store::park`].
    pub async fn bury(&self, letter: &Letter, fence: Option<&Fence>) -> Result<u32, Setback> {
        self.put_aside(letter, DEAD, None, fence).await
    }

    async fn put_aside(
        &self,
        letter: &Letter,
        state: &str,
        due: Option<DateTime<Utc>>,
        fence: Option<&Fence>,
    ) -> Result<u32, Setback> {
        if let Some(fence) = fence
            && !self.holds(fence).await?
        {
            return Err(Setback::Fenced);
        }
        let row = inbox::ActiveModel {
            consumer: Set(indexable(&letter.consumer).into_owned()),
            message: Set(indexable(&letter.message).into_owned()),
            key: Set(indexable(&letter.key).into_owned()),
            position: Set(letter.position),
            state: Set(state.to_owned()),
            outcome: Set(None),
            attempts: Set(1),
            due_at: Set(due),
            reason: Set(Some(printable(&letter.reason).into_owned())),
            subject: Set(Some(printable(&letter.subject).into_owned())),
            headers: Set(Some(headers_text(&letter.headers))),
            payload: Set(Some(letter.payload.clone())),
            at: Set(letter.at),
        };
        let is_parked = Expr::col((inbox::Entity, inbox::Column::State)).eq(PARKED);
        let once_more = Expr::col((inbox::Entity, inbox::Column::Attempts)).add(1);
        let changed = [inbox::Column::State, inbox::Column::DueAt, inbox::Column::Reason];
        let conflict = OnConflict::columns([inbox::Column::Consumer, inbox::Column::Message])
            .update_columns(changed)
            .value(inbox::Column::Attempts, once_more)
            .action_and_where(is_parked)
            .to_owned();
        let written = inbox::Entity::insert(row)
            .on_conflict(conflict)
            .exec_without_returning(self.write())
            .await?;
        if written == 0 {
            return Err(Setback::Duplicate);
        }
        let row = self.inbox_row(&letter.consumer, &letter.message).await?;
        Ok(row.map_or(1, |row| row.attempts.cast_unsigned()))
    }

    async fn holds(&self, fence: &Fence) -> Result<bool, Setback> {
        let select = Query::select()
            .column(Alias::new("token"))
            .from(Alias::new("lease"))
            .and_where(Expr::col(Alias::new("name")).eq(&fence.name))
            .to_owned();
        let row = self.write().query_one(&select).await?;
        let token = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
        Ok(token == Some(fence.token))
    }

    async fn inbox_row(
        &self,
        consumer: &str,
        message: &str,
    ) -> Result<Option<inbox::Model>, Setback> {
        let id = (indexable(consumer).into_owned(), indexable(message).into_owned());
        Ok(inbox::Entity::find_by_id(id).one(self.write()).await?)
    }

    /// The parked messages that are due: of each key only the first, and none of a key whose first
    /// is a dead letter.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn retries(
        &self,
        consumer: &str,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Waiting>, Setback> {
        let rows = heads(consumer)
            .filter(inbox::Column::DueAt.lte(now))
            .order_by_asc(inbox::Column::DueAt)
            .order_by_asc(inbox::Column::Position)
            .limit(limit)
            .all(self.read())
            .await?;
        Ok(rows.into_iter().map(waiting).collect())
    }

    /// When the next parked message is due.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn next_retry(&self, consumer: &str) -> Result<Option<DateTime<Utc>>, Setback> {
        let next = heads(consumer).order_by_asc(inbox::Column::DueAt).one(self.read()).await?;
        Ok(next.and_then(|row| row.due_at))
    }

    /// A message that is parked or dead.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn waiting(&self, consumer: &str, message: &str) -> Result<Option<Waiting>, Setback> {
        let row = self.inbox_row(consumer, message).await?;
        Ok(row.filter(|row| row.state != DONE).map(waiting))
    }

    /// How many messages are parked, and how many are dead letters, over all consumers.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn aside(&self) -> Result<(u64, u64), Setback> {
        let (parked, dead) = (all_in(PARKED), all_in(DEAD));
        Ok((parked.count(self.read()).await?, dead.count(self.read()).await?))
    }

    /// The oldest dead letters, of all consumers or of one.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn dead_letters(
        &self,
        consumer: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Waiting>, Setback> {
        let mut select = all_in(DEAD);
        if let Some(consumer) = consumer {
            select = select.filter(inbox::Column::Consumer.eq(indexable(consumer).as_ref()));
        }
        let rows = select
            .order_by_asc(inbox::Column::At)
            .order_by_asc(inbox::Column::Position)
            .limit(limit)
            .all(self.read())
            .await?;
        Ok(rows.into_iter().map(waiting).collect())
    }

    /// Sends a dead letter round again: it is due now, before what waits behind it. `false` when
    /// there is no such dead letter.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn redrive(&self, consumer: &str, message: &str) -> Result<bool, Setback> {
        self.turn(consumer, message, PARKED, Some(self.now()), None).await
    }

    /// Gives a dead letter up, so that those behind it go on. `false` when there is no such dead
    /// letter.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn give_up(&self, consumer: &str, message: &str) -> Result<bool, Setback> {
        let given_up = self.turn(consumer, message, DONE, None, Some(GIVEN_UP)).await?;
        if given_up {
            let row = tally::ActiveModel {
                consumer: Set(indexable(consumer).into_owned()),
                outcome: Set(GIVEN_UP.to_owned()),
                count: Set(1),
            };
            let one_more = Expr::col((tally::Entity, tally::Column::Count)).add(1);
            let conflict = OnConflict::columns([tally::Column::Consumer, tally::Column::Outcome])
                .value(tally::Column::Count, one_more)
                .to_owned();
            tally::Entity::insert(row)
                .on_conflict(conflict)
                .exec_without_returning(self.write())
                .await?;
        }
        Ok(given_up)
    }

    async fn turn(
        &self,
        consumer: &str,
        message: &str,
        state: &str,
        due: Option<DateTime<Utc>>,
        outcome: Option<&str>,
    ) -> Result<bool, Setback> {
        let turned = inbox::Entity::update_many()
            .col_expr(inbox::Column::State, Expr::val(state))
            .col_expr(inbox::Column::DueAt, Expr::val(due))
            .col_expr(inbox::Column::Outcome, Expr::val(outcome))
            .filter(inbox::Column::Consumer.eq(indexable(consumer).as_ref()))
            .filter(inbox::Column::Message.eq(indexable(message).as_ref()))
            .filter(inbox::Column::State.eq(DEAD))
            .exec(self.write())
            .await?;
        self.hint();
        Ok(turned.rows_affected == 1)
    }

    /// How the deliveries of every consumer ended, each counted once.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn tallies(&self) -> Result<Vec<Tally>, Setback> {
        let rows = tally::Entity::find()
            .order_by_asc(tally::Column::Consumer)
            .order_by_asc(tally::Column::Outcome)
            .all(self.read())
            .await?;
        let tallies = rows.into_iter().map(|row| Tally {
            consumer: row.consumer,
            outcome: row.outcome,
            count: row.count.cast_unsigned(),
        });
        Ok(tallies.collect())
    }

    /// Forgets idempotency keys and done deliveries from before a moment; answers how many.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn prune(&self, before: DateTime<Utc>) -> Result<u64, Setback> {
        let keys =
            once::Entity::delete_many().filter(once::Column::At.lt(before)).exec(self.write());
        let keys = keys.await?.rows_affected;
        let deliveries = inbox::Entity::delete_many()
            .filter(is(DONE))
            .filter(inbox::Column::At.lt(before))
            .exec(self.write())
            .await?;
        let files = self.drop_arrivals(before).await?;
        Ok(keys + deliveries.rows_affected + files)
    }
}

fn headers_text(headers: &[(String, String)]) -> String {
    // Pairs of texts: serialising them cannot fail.
    serde_json::to_string(headers).unwrap_or_default()
}

fn waiting(row: inbox::Model) -> Waiting {
    let headers = row.headers.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Waiting {
        is_dead: row.state == DEAD,
        attempts: row.attempts.cast_unsigned(),
        due: row.due_at,
        letter: Letter {
            consumer: row.consumer,
            message: row.message,
            key: row.key,
            position: row.position,
            subject: row.subject.unwrap_or_default(),
            headers: headers.unwrap_or_default(),
            payload: row.payload.unwrap_or_default(),
            reason: row.reason.unwrap_or_default(),
            at: row.at,
        },
    }
}
