//! How many records lie in each of several spans of time: what charts are drawn from.

use chrono::{DateTime, Utc};
use engine::{Field, Filter};
use kernel::{Reader, Refusal, Rule};
use sea_orm::{
    Condition, ConnectionTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{CaseStatement, Expr, Query},
};

use crate::{
    Setback, Store,
    condition::{Places, asks_standing, condition},
    list::Walk,
    read::visible,
};

/// A series has at most this many spans.
pub const SPANS_LIMIT: usize = 100;
/// So many records are counted at most, where nobody says otherwise.
pub const COUNTED_LIMIT: u64 = 100_000;

/// Which records of a process are counted, by which of their times, between which instants.
#[derive(Clone, Debug)]
pub struct Series {
    pub process: String,
    /// A field that holds a time.
    pub of: Field,
    /// Rising: each two are a span, with its beginning and without its end. 2 to [`SPANS_LIMIT`] + 1.
    pub edges: Vec<DateTime<Utc>>,
    pub filter: Option<Filter>,
    /// After so many records nobody counts on; [`COUNTED_LIMIT`] is usual.
    pub at_most: u64,
}

/// What was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// One of each span.
    pub counts: Vec<u64>,
    /// No more lie between the edges than were counted.
    pub is_complete: bool,
}

impl Store {
    /// How many records that match, and that the reader sees, lie in each span. They are walked along the
    /// index of their time: where there are more than are counted, the latest are. Where the filter asks in
    /// which state they are, they are walked along that of their states, in no order: what is counted is
    /// all, or nothing.
    ///
    /// # Errors
    /// [`Setback::Refused`] for a field that has no column, and for too many records of a state;
    /// [`Setback::Broken`] when the database fails.
    pub async fn series(&self, series: &Series, reader: &Reader) -> Result<Spread, Setback> {
        let law = self.shared().law();
        let places = Places { all: &law.places, process: &series.process };
        let column = Expr::col(places.column(&series.of)?);
        let (Some(first), Some(last)) = (series.edges.first(), series.edges.last()) else {
            let message = "a series has edges";
            return Err(Refusal::one(Rule::Invalid, "/edges", "edges", message).into());
        };
        let walks = Walk::of(&series.of, series.filter.as_ref());
        let mut narrowed = Condition::all()
            .add(walks.process_is(&series.process))
            .add(visible(reader, self.shared().pools.backend()))
            // Said aloud, because the column's index leaves empty ones out.
            .add(column.clone().is_not_null())
            .add(column.clone().gte(*first))
            .add(column.clone().lt(*last));
        if let Some(filter) = &series.filter {
            narrowed = narrowed.add(condition(filter, &places, true)?);
        }
        let inner = series.edges.iter().enumerate().skip(1);
        let span = inner.fold(CaseStatement::new(), |case, (number, end)| {
            case.case(column.clone().lt(*end), Expr::val(i64::try_from(number).unwrap_or(i64::MAX)))
        });
        let mut seen = walks.records().select_only().expr_as(span, "span");
        seen = seen.filter(narrowed).limit(series.at_most.saturating_add(1));
        let is_in_order = !series.filter.as_ref().is_some_and(asks_standing);
        if is_in_order {
            seen = seen.order_by(column, Order::Desc);
        }
        let counted = Query::select()
            .column("span")
            .expr(Expr::cust("COUNT(*)"))
            .from_subquery(seen.into_query(), "seen")
            .group_by_col("span")
            .to_owned();
        let mut counts = vec![0; series.edges.len().saturating_sub(1)];
        for row in self.read().query_all(&counted).await? {
            let (span, count): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let place = usize::try_from(span - 1).ok().and_then(|place| counts.get_mut(place));
            if let Some(place) = place {
                *place = count.cast_unsigned();
            }
        }
        let is_complete = counts.iter().sum::<u64>() <= series.at_most;
        if !is_complete && !is_in_order {
            return Err(too_many(series.at_most).into());
        }
        Ok(Spread { counts, is_complete })
    }
}

/// Any of them could be left out, so a part of them would say nothing.
fn too_many(at_most: u64) -> Refusal {
    let message = format!(
        "more than {at_most} records match, and no more are counted by their state: ask for less time, \
         or for fewer states"
    );
    Refusal::one(Rule::Invalid, "/filter", "too_many", message)
}
