//! The clocks of a period, as far as the caller sees them.

use chassis::{Office, Problem, door::Door};
use chrono::{DateTime, Utc};
use engine::{Field, Filter, Op, Record};
use kernel::Reader;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{PAGE_LIMIT, Query, Sort, Store};

/// More are refused: they are read one by one while somebody waits.
const LIMIT: usize = 300_000;

/// Which clocks are asked for: of a period, and further narrowed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Population {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub kind: Option<String>,
    pub target: Option<String>,
    pub service: Option<String>,
    pub customer: Option<String>,
}

impl Population {
    fn filter(
        &self,
        by: &Field,
        field: impl Fn(&str) -> Result<Field, Problem>,
    ) -> Result<Filter, Problem> {
        let compare = |field: Field, op, value: Value| Filter::Compare { field, op, value };
        let mut all = vec![
            compare(by.clone(), Op::GreaterOrEqual, json!(self.from)),
            compare(by.clone(), Op::Less, json!(self.to)),
        ];
        let narrowed = [
            ("kind", &self.kind),
            ("target", &self.target),
            ("service", &self.service),
            ("customer", &self.customer),
        ];
        for (name, value) in narrowed {
            if let Some(value) = value {
                all.push(compare(field(name)?, Op::Equal, json!(value)));
            }
        }
        Ok(Filter::All(all))
    }

    /// The clocks whose instant `by` lies in the period, a page after the other.
    pub fn pages<'a>(
        &self,
        office: &'a Office,
        door: &Door,
        by: &str,
    ) -> Result<Pages<'a>, Problem> {
        let rules = office.rules();
        let definition = rules.process("clock").ok_or_else(Problem::unknown)?;
        let field = |name: &str| Field::named(definition, name).ok_or_else(Problem::broken);
        let by = field(by)?;
        let query = Query {
            filter: Some(self.filter(&by, field)?),
            sort: Sort { field: by, descending: false },
            limit: PAGE_LIMIT,
            ..Query::of("clock")
        };
        Ok(Pages { store: &office.store, reader: door.reader(), query, read: 0, is_over: false })
    }
}

/// What is still to be read of a period.
pub(super) struct Pages<'a> {
    store: &'a Store,
    reader: Reader,
    query: Query,
    read: usize,
    is_over: bool,
}

impl Pages<'_> {
    /// The next clocks; `None` at the end.
    ///
    /// # Errors
    /// 422 where there are more than [`LIMIT`].
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>, Problem> {
        if self.is_over {
            return Ok(None);
        }
        let page = self.store.list(&self.query, &self.reader).await?;
        self.read += page.items.len();
        if self.read > LIMIT {
            let message = format!("The period holds more than {LIMIT} clocks: ask for less of it.");
            return Err(Problem::invalid("/from", "too_many", message));
        }
        self.is_over = page.next.is_none();
        self.query.cursor = page.next;
        Ok(Some(page.items))
    }
}
