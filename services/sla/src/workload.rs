//! How much came in under an agreement, beside how much was agreed (catalogue section 2.13, SLM-7).

use std::collections::BTreeSet;

use chassis::Office;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use engine::{Field, Filter, Op, Record};
use kernel::Reader;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{PAGE_LIMIT, Query, Setback, Sort};

use crate::terms::Target;

/// Time zones begin their months up to so many hours before or after that of UTC.
const ZONES_HOURS: i64 = 14;

/// An agreement's workload limit, and what it is counted by.
#[derive(Deserialize)]
struct View {
    service: Option<String>,
    customer: Option<String>,
    customer_contact: Option<String>,
    workload: Limit,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Limit {
    per_month: i64,
}

/// What was opened in a period under an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    /// `SLA0000001`
    pub agreement: String,
    pub service: Option<String>,
    pub customer: Option<String>,
    contact: Option<String>,
    pub opened: i64,
    /// Of the months of the period; none where it is not made of months.
    pub agreed: Option<i64>,
}

impl Workload {
    pub fn is_over(&self) -> bool {
        self.agreed.is_some_and(|agreed| self.opened > agreed)
    }

    pub fn view(&self) -> Value {
        json!({
            "agreement": self.agreement,
            "service": self.service,
            "customer": self.customer,
            "opened": self.opened,
            "agreed": self.agreed,
            "is_over": self.is_over(),
        })
    }

    /// What both parties are told when it is over: an event for the notice's definition.
    pub fn told(&self, month: &str) -> Value {
        json!({
            "agreement": self.agreement, "month": month,
            "service": self.service, "customer": self.customer,
            "opened": self.opened, "agreed": self.agreed,
            "visible_to": self.contact.iter().collect::<Vec<_>>(),
        })
    }
}

/// How many months lie between two instants that begin one, in whatever time zone.
pub(crate) fn months(from: DateTime<Utc>, until: DateTime<Utc>) -> Option<i64> {
    let month = |at: DateTime<Utc>| {
        let shifted = at + TimeDelta::hours(ZONES_HOURS);
        let begins = shifted.date_naive().with_day(1)?.and_hms_opt(0, 0, 0)?.and_utc();
        let is_begin = shifted - begins <= TimeDelta::hours(2 * ZONES_HOURS);
        is_begin.then(|| i64::from(shifted.year()) * 12 + i64::from(shifted.month0()))
    };
    let months = month(until)? - month(from)?;
    (months > 0).then_some(months)
}

/// The workload of an agreement in a period; none where none was agreed.
///
/// # Errors
/// When the database fails.
pub(crate) async fn of(
    office: &Office,
    agreement: &Record,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Workload>, Setback> {
    let data: Map<String, Value> = agreement.data.clone();
    let Ok(view) = serde_json::from_value::<View>(Value::Object(data)) else { return Ok(None) };
    // Every record of a process has a clock of each of its targets: one of them counts them.
    let mut processes = BTreeSet::new();
    let firsts = view.targets.iter().filter(|target| processes.insert(target.process.as_str()));
    let mut opened = 0;
    for target in firsts {
        opened += count(office, &agreement.number, &target.name, from, until).await?;
    }
    Ok(Some(Workload {
        agreement: agreement.number.clone(),
        service: view.service,
        customer: view.customer,
        contact: view.customer_contact,
        opened,
        agreed: months(from, until).map(|months| months * view.workload.per_month),
    }))
}

/// How many clocks of a target started under an agreement.
async fn count(
    office: &Office,
    agreement: &str,
    target: &str,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64, Setback> {
    let rules = office.rules();
    let Some(definition) = rules.process("clock") else { return Ok(0) };
    let compare = |name, op, value: Value| {
        Field::named(definition, name).map(|field| Filter::Compare { field, op, value })
    };
    let all = [
        compare("agreement", Op::Equal, json!(agreement)),
        compare("target", Op::Equal, json!(target)),
        compare("started_at", Op::GreaterOrEqual, json!(from)),
        compare("started_at", Op::Less, json!(until)),
    ];
    let Some(field) = Field::named(definition, "started_at") else { return Ok(0) };
    let mut query = Query {
        filter: Some(Filter::All(all.into_iter().flatten().collect())),
        sort: Sort { field, descending: false },
        limit: PAGE_LIMIT,
        ..Query::of("clock")
    };
    let mut found = 0;
    loop {
        let page = office.store.list(&query, &Reader::Everything).await?;
        found += i64::try_from(page.items.len()).unwrap_or_default();
        query.cursor = page.next;
        if query.cursor.is_none() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_one_in_every_time_zone() {
        let months =
            |from: &str, until: &str| months(from.parse().unwrap(), until.parse().unwrap());
        assert_eq!(months("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"), Some(1));
        // Berlin, across the change of its clocks; Auckland; Los Angeles.
        assert_eq!(months("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"), Some(1));
        assert_eq!(months("2026-02-28T11:00:00Z", "2026-05-31T12:00:00Z"), Some(3));
        assert_eq!(months("2026-01-01T08:00:00Z", "2026-02-01T08:00:00Z"), Some(1));
        assert_eq!(months("2026-03-01T00:00:00Z", "2026-03-15T00:00:00Z"), None);
        assert_eq!(months("2026-03-05T00:00:00Z", "2026-04-01T00:00:00Z"), None);
    }
}
