//! Lists: pages by key, filtered and sorted by indexed columns alone.

use engine::{Field, Filter, Record};
use kernel::{Reader, Refusal, Rule};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, Select, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    Setback, Store, Words,
    condition::{Places, Typed, asks_record, asks_standing, condition, is_standing},
    entity::{record, standing},
    read::visible,
};

/// A page has at most this many records.
pub const PAGE_LIMIT: u64 = 500;
/// A count ends here.
pub const COUNT_LIMIT: u64 = 1_000;

/// Which records of a process, in which order, and from where on.
#[derive(Clone, Debug)]
pub struct Query {
    pub process: String,
    pub filter: Option<Filter>,
    /// Words that must all stand in the prose of a record, or in one comment.
    pub words: Option<Words>,
    pub sort: Sort,
    /// 1 to [`PAGE_LIMIT`]; more is cut.
    pub limit: u64,
    /// [`Page::next`] of the page before.
    pub cursor: Option<String>,
}

impl Query {
    /// Fifty records, the latest change first.
    #[must_use]
    pub fn of(process: impl Into<String>) -> Self {
        let sort = Sort { field: Field::UpdatedAt, descending: true };
        Self { process: process.into(), filter: None, words: None, sort, limit: 50, cursor: None }
    }

    /// Which records of those that are walked are listed.
    fn narrowed(
        &self,
        walks: Walk,
        places: &Places<'_>,
        reader: &Reader,
        backend: DbBackend,
    ) -> Result<Condition, Refusal> {
        let mut narrowed =
            Condition::all().add(walks.process_is(&self.process)).add(visible(reader, backend));
        if let Some(filter) = &self.filter {
            narrowed = narrowed.add(condition(filter, places, true)?);
            // The index of a field begins with the process, so few among many are found by it only
            // where the process is said of the record, too. SQLite, which knows less of its tables,
            // would take it for a value that all of them have.
            let may_be_few = walks == Walk::Standings && asks_record(filter);
            if may_be_few && backend == DbBackend::Postgres {
                narrowed = narrowed.add(record::Column::Process.eq(&self.process));
            }
        }
        if let Some(words) = &self.words {
            narrowed = narrowed.add(words.condition(backend));
        }
        Ok(narrowed)
    }
}

/// Records without a value in the field come last, either way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub field: Field,
    pub descending: bool,
}

impl Sort {
    /// Where a list in this order goes on after a record, of whatever process or service it is.
    #[must_use]
    pub fn cursor_after(&self, record: &Record) -> String {
        cursor_of(record, self)
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub items: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// Where a page ended: its last value (none among the records without one) and id.
struct Cursor {
    value: Option<Typed>,
    id: Uuid,
}

impl Store {
    /// A page of the records that match and that the reader sees.
    ///
    /// # Errors
    /// [`Setback::Refused`] for a cursor of another list or a field that has no column;
    /// [`Setback::Broken`] when the database fails.
    pub async fn list(&self, query: &Query, reader: &Reader) -> Result<Page, Setback> {
        let law = self.shared().law();
        let places = Places { all: &law.places, process: &query.process };
        let column = places.column(&query.sort.field)?;
        let walks = Walk::of(&query.sort.field, query.filter.as_ref());
        let narrowed = query.narrowed(walks, &places, reader, self.shared().pools.backend())?;
        let cursor =
            query.cursor.as_deref().map(|text| cursor_in(text, &query.sort)).transpose()?;
        let limit = query.limit.clamp(1, PAGE_LIMIT);
        let is_nullable = places.is_nullable(&query.sort.field);
        let among_nulls = cursor.as_ref().is_some_and(|cursor| cursor.value.is_none());
        let mut rows = Vec::new();
        if !among_nulls {
            let mut part = narrowed.clone();
            if is_nullable {
                // Said aloud, because the column's index leaves empty ones out.
                part = part.add(Expr::col(column.clone()).is_not_null());
            }
            if let Some(Cursor { value: Some(value), id }) = &cursor {
                let at = Expr::tuple([Expr::col(column.clone()), walks.id()]);
                let last = Expr::tuple([Expr::val(value.clone().into_value()), Expr::val(*id)]);
                part = part.add(if query.sort.descending { at.lt(last) } else { at.gt(last) });
            }
            let order = if query.sort.descending { Order::Desc } else { Order::Asc };
            let found = walks
                .records()
                .filter(part)
                .order_by(Expr::col(column.clone()), order.clone())
                .order_by(walks.id(), order)
                .limit(limit + 1);
            rows = found.all(self.read()).await?;
        }
        let with_value = rows.len();
        if is_nullable && (with_value as u64) <= limit {
            let mut part = narrowed.add(Expr::col(column).is_null());
            if let Some(Cursor { value: None, id }) = &cursor {
                part = part.add(walks.id().lt(*id));
            }
            let found = walks
                .records()
                .filter(part)
                .order_by(walks.id(), Order::Desc)
                .limit(limit + 1 - with_value as u64);
            rows.extend(found.all(self.read()).await?);
        }
        let has_more = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let items = self.complete(rows).await?;
        let last = items.last().filter(|_| has_more);
        let next = last.map(|record| cursor_of(record, &query.sort));
        Ok(Page { items, next })
    }
}

impl Store {
    /// How many records of a process stand in a state and are seen by the reader: at most
    /// [`COUNT_LIMIT`], beyond which nobody counts.
    ///
    /// # Errors
    /// [`Setback::Broken`] when the database fails.
    pub async fn count(&self, process: &str, state: &str, reader: &Reader) -> Result<u64, Setback> {
        let walks = Walk::Standings;
        let found = walks
            .records()
            .select_only()
            .column(record::Column::Id)
            .filter(walks.process_is(process))
            .filter(standing::Column::State.eq(state))
            .filter(visible(reader, self.shared().pools.backend()))
            .limit(COUNT_LIMIT)
            .into_tuple::<Uuid>();
        Ok(found.all(self.read()).await?.len() as u64)
    }
}

/// The tables that a list is read from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    Records,
    /// Along the records, with a look at where each stands.
    Both,
    /// Along where they stand: the order is one of those columns.
    Standings,
}

impl Walk {
    /// Along a field, narrowed by a filter.
    pub(crate) fn of(field: &Field, filter: Option<&Filter>) -> Self {
        if is_standing(field) {
            Self::Standings
        } else if filter.is_some_and(asks_standing) {
            Self::Both
        } else {
            Self::Records
        }
    }

    pub(crate) fn records(self) -> Select<record::Entity> {
        let mut records = record::Entity::find();
        if self != Self::Records {
            let is_its = Expr::col((standing::Entity, standing::Column::RecordId))
                .equals((record::Entity, record::Column::Id));
            QuerySelect::query(&mut records).inner_join(standing::Entity, is_its);
        }
        records
    }

    /// Said of each table, so that each can be walked by its own index.
    pub(crate) fn process_is(self, process: &str) -> Condition {
        let mut both = Condition::all();
        if self != Self::Standings {
            both = both.add(record::Column::Process.eq(process));
        }
        if self != Self::Records {
            both = both.add(standing::Column::Process.eq(process));
        }
        both
    }

    pub(crate) fn id(self) -> Expr {
        match self {
            Self::Standings => Expr::col((standing::Entity, standing::Column::RecordId)),
            _ => Expr::col((record::Entity, record::Column::Id)),
        }
    }
}

fn word(sort: &Sort) -> String {
    let name = match &sort.field {
        Field::State => "state",
        Field::Number => "number",
        Field::OpenedAt => "opened_at",
        Field::UpdatedAt => "updated_at",
        Field::ClosedAt => "closed_at",
        Field::Revision => "rev",
        Field::OpenedBy => "opened_by",
        Field::Indexed { name, .. } => name,
    };
    format!("{}{name}", if sort.descending { "-" } else { "" })
}

fn cursor_of(record: &Record, sort: &Sort) -> String {
    let value = Typed::of(record, &sort.field);
    // Texts, numbers and times: serialising them cannot fail.
    hex::encode(serde_json::to_vec(&(word(sort), value, record.id)).unwrap_or_default())
}

fn cursor_in(text: &str, sort: &Sort) -> Result<Cursor, Refusal> {
    let bytes = hex::decode(text).unwrap_or_default();
    let read = serde_json::from_slice::<(String, Option<Typed>, Uuid)>(&bytes);
    match read {
        Ok((sorted, value, id))
            if sorted == word(sort) && Typed::fits(value.as_ref(), &sort.field) =>
        {
            Ok(Cursor { value, id })
        }
        _ => {
            let message = "the cursor is not one of this list; begin without one";
            Err(Refusal::one(Rule::Invalid, "/cursor", "cursor", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::Op;
    use sea_orm::QueryTrait;

    use super::*;
    use crate::plan::{filled_postgres, on_postgres};

    /// Whoever looks for the few that match is not to walk the many that do not.
    #[tokio::test(flavor = "multi_thread")]
    async fn few_among_many_are_found_by_the_index_of_their_field() {
        let fill = "\
            INSERT INTO record (id, process, number, definition, state, revision, data, audience, \
                opened_at, updated_at, entered_at, opened_by, partition, head) \
            SELECT gen_random_uuid(), 'case', 'CAS' || n, 1, 'new', 1, '{}', 1, now(), now(), now(), \
                CASE WHEN n % 1000 = 0 THEN 'few' ELSE 'many' END, 0, '' \
            FROM generate_series(1, 50000) AS n; \
            INSERT INTO standing (record_id, process, state, updated_at) \
            SELECT id, process, state, updated_at FROM record; \
            ANALYZE";
        let Some((_scratch, db)) = filled_postgres(fill).await else { return };
        let places = Places { all: &crate::slot::Places::default(), process: "case" };
        for (opener, index) in [("few", "record_opener"), ("many", "standing_updated")] {
            let (field, value) = (Field::OpenedBy, opener.into());
            let filter = Some(Filter::Compare { field, op: Op::Equal, value });
            let query = Query { filter, ..Query::of("case") };
            let walks = Walk::of(&query.sort.field, query.filter.as_ref());
            let backend = DbBackend::Postgres;
            let narrowed = query.narrowed(walks, &places, &Reader::Everything, backend);
            let page = walks
                .records()
                .filter(narrowed.expect("a condition"))
                .order_by_desc(standing::Column::UpdatedAt)
                .order_by_desc(standing::Column::RecordId)
                .limit(51);
            let plan = on_postgres(&db, page.build(backend)).await;
            // Without its first column an index is read from end to end.
            let mut condition = plan.lines().skip_while(|line| !line.contains(index)).skip(1);
            let from_the_first = condition.next().is_some_and(|line| line.contains("process"));
            assert!(from_the_first, "{opener}: {plan}");
        }
    }
}
