//! The clocks of a period, as far as the caller sees them.

use chassis::{Office, Problem, door::Door};
use chrono::{DateTime, Utc};
use engine::{Field, Filter, Op, Record};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{PAGE_LIMIT, Query, Sort};

/// A longer list is refused: it would have to be read record by record.
const LIMIT: usize = 20_000;

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

    /// The clocks whose instant `by` lies in the period.
    pub async fn clocks(
        &self,
        office: &Office,
        door: &Door,
        by: &str,
    ) -> Result<Vec<Record>, Problem> {
        let rules = office.rules();
        let definition = rules.process("clock").ok_or_else(Problem::unknown)?;
        let field = |name: &str| Field::named(definition, name).ok_or_else(Problem::broken);
        let by = field(by)?;
        let mut query = Query {
            filter: Some(self.filter(&by, field)?),
            sort: Sort { field: by, descending: false },
            limit: PAGE_LIMIT,
            ..Query::of("clock")
        };
        let mut clocks = Vec::new();
        loop {
            let page = office.store.list(&query, &door.reader()).await?;
            clocks.extend(page.items);
            if clocks.len() > LIMIT {
                let message =
                    format!("The period holds more than {LIMIT} clocks: ask for less of it.");
                return Err(Problem::invalid("/from", "too_many", message));
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                return Ok(clocks);
            }
        }
    }
}
