//! Proof of the totals: they are what counting every record gives, and what is closed adds up to them.

use std::collections::BTreeMap;

use engine::Record;
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use super::{Countings, SPANS, begin, lies_in};
use crate::{Setback, verify::Report};

/// Process, span, beginning, audience tokens and what is counted.
type Cell = (String, i32, i64, String, String);

/// What was counted on the walk through all records.
pub(crate) struct Check<'a> {
    countings: &'a Countings,
    cells: BTreeMap<Cell, i64>,
}

impl<'a> Check<'a> {
    pub(crate) fn of(countings: &'a Countings) -> Self {
        Self { countings, cells: BTreeMap::new() }
    }

    pub(crate) fn count(&mut self, record: &Record) {
        let Some(counting) = self.countings.get(record.process.as_str()) else { return };
        let Some(count) = (counting.count)(record) else { return };
        let tokens = serde_json::to_string(&count.seen_by).unwrap_or_default();
        for span in SPANS {
            let (process, what) = (record.process.clone(), count.what.clone());
            let cell = (process, span, begin(count.at, span), tokens.clone(), what);
            *self.cells.entry(cell).or_default() += 1;
        }
    }

    /// Compares what was counted with the totals.
    pub(crate) async fn compare(
        mut self,
        db: &impl ConnectionTrait,
        report: &mut Report,
    ) -> Result<(), Setback> {
        let select = Query::select()
            .columns(["process", "span", "since", "tokens", "what", "count"])
            .from("total")
            .inner_join("audience_set", Expr::col("id").equals("audience"))
            .to_owned();
        for row in db.query_all(&select).await? {
            let cell = (
                row.try_get_by_index(0)?,
                row.try_get_by_index(1)?,
                row.try_get_by_index(2)?,
                row.try_get_by_index(3)?,
                row.try_get_by_index(4)?,
            );
            let kept: i64 = row.try_get_by_index(5)?;
            *self.cells.entry(cell).or_default() -= kept;
        }
        for ((process, span, since, _, what), difference) in self.cells {
            if difference != 0 {
                let what = format!(
                    "the total of {what} in the {span} s from {since} is {difference} too low"
                );
                report.fault(&process, 0, what);
            }
        }
        closings(db, report).await
    }
}

/// What was kept at a closing and what changed since is what the totals are now.
async fn closings(db: &impl ConnectionTrait, report: &mut Report) -> Result<(), Setback> {
    let select = Query::select()
        .columns(["record_id", "process", "since", "until"])
        .from("closing")
        .to_owned();
    for row in db.query_all(&select).await? {
        let (closing, process): (Uuid, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let span: (i64, i64) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
        let mut left = BTreeMap::<(i32, String), i64>::new();
        let is_of = Expr::col("closing").eq(closing);
        let kept = Query::select()
            .columns(["audience", "what", "count"])
            .from("closed_total")
            .and_where(is_of.clone())
            .to_owned();
        for row in db.query_all(&kept).await? {
            let cell = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            *left.entry(cell).or_default() += row.try_get_by_index::<i64>(2)?;
        }
        for (side, by) in [("was", -1), ("became", 1)] {
            let at = format!("{side}_at");
            let changed = Query::select()
                .columns([format!("{side}_audience"), side.to_owned()])
                .from("restatement")
                .and_where(is_of.clone())
                .and_where(Expr::col(at.clone()).gte(span.0))
                .and_where(Expr::col(at).lt(span.1))
                .to_owned();
            for row in db.query_all(&changed).await? {
                let cell = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                *left.entry(cell).or_default() += by;
            }
        }
        let now = Query::select()
            .columns(["audience", "what", "count"])
            .from("total")
            .and_where(Expr::col("process").eq(process))
            .cond_where(lies_in(span.0, span.1))
            .to_owned();
        for row in db.query_all(&now).await? {
            let cell = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            *left.entry(cell).or_default() -= row.try_get_by_index::<i64>(2)?;
        }
        if left.values().any(|left| *left != 0) {
            let what = "what it keeps and what changed since do not add up to the totals";
            report.fault(&closing.to_string(), 0, what);
        }
    }
    Ok(())
}
