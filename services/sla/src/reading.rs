//! What a clock's record keeps of its measure: a cache, worked out anew on each change and each read.

use chrono::{DateTime, Utc};
use engine::{Record, Ruleset, Schemes, instant_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    case::Case,
    explain::time,
    measure::{Measure, Standing, measure},
};

/// A clock as lists and forms show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reading {
    pub standing: Standing,
    /// The number of the agreement that applies now.
    pub agreement: Option<String>,
    pub started_at: Option<String>,
    pub stopped_at: Option<String>,
    pub due_at: Option<String>,
    pub breached_at: Option<String>,
    pub elapsed_seconds: i64,
    pub allowed_seconds: Option<i64>,
    /// Per cent of the time, whole ones.
    pub used: i64,
    /// The limit as the agreement writes it.
    pub within: Option<String>,
    pub calendar: Option<String>,
    /// The highest warning that was given and still holds.
    pub warned: i64,
    /// The highest warning that is reached.
    pub reached: i64,
    /// When the next one is to be given.
    pub warns_at: Option<String>,
}

impl Reading {
    #[must_use]
    pub fn of(measure: &Measure<'_>, warned: i64) -> Self {
        let elapsed = measure.elapsed();
        let allowed = measure.allowed.as_ref();
        let reached = measure.reached();
        // A later target may take back what was warned of.
        let warned = warned.min(reached);
        Self {
            standing: measure.standing(),
            agreement: measure.terms.map(|terms| terms.number.clone()),
            started_at: measure.started_at().map(time),
            stopped_at: measure.stopped_at().map(time),
            due_at: measure.due_at().map(time),
            breached_at: measure.breached_at().map(time),
            elapsed_seconds: elapsed,
            allowed_seconds: allowed.map(|allowed| allowed.seconds),
            used: allowed.map_or(0, |allowed| elapsed * 100 / allowed.seconds.max(1)),
            within: allowed.map(|allowed| allowed.limit.within.to_string()),
            calendar: allowed.and_then(|allowed| allowed.limit.calendar.clone()),
            warned,
            reached,
            warns_at: measure.warns_at(warned).map(time),
        }
    }
}

/// The case that a clock's record keeps.
///
/// # Errors
/// A sentence, when it is none.
pub fn case_of(record: &Record) -> Result<Case, String> {
    let part = |name| record.data.get(name).unwrap_or(&Value::Null);
    case(part("terms"), part("moments"), part("corrections"), part("deadline"))
}

fn case(
    terms: &Value,
    moments: &Value,
    corrections: &Value,
    deadline: &Value,
) -> Result<Case, String> {
    let read = || {
        Ok(Case {
            terms: Option::deserialize(terms)?.unwrap_or_default(),
            moments: Option::deserialize(moments)?.unwrap_or_default(),
            corrections: Option::deserialize(corrections)?.unwrap_or_default(),
            deadline: Option::deserialize(deadline)?,
        })
    };
    read().map_err(|fault: serde_json::Error| fault.to_string())
}

/// Brings what a clock shows up to the moment at which it is read: lists, forms and explanations
/// agree, whether its timer has fired or not.
pub(crate) fn show(rules: &Ruleset, record: &Record, now: DateTime<Utc>, view: &mut Value) {
    let warned = record.data.get("warned").and_then(Value::as_i64).unwrap_or(0);
    let reading = case_of(record).and_then(|case| {
        let measure = measure(&case, rules.schemes(), now.timestamp())?;
        serde_json::to_value(Reading::of(&measure, warned)).map_err(|fault| fault.to_string())
    });
    let Value::Object(reading) = reading.unwrap_or_else(|fault| {
        tracing::error!(fault, clock = record.number, "a clock is shown as it was kept");
        Value::Null
    }) else {
        return;
    };
    if let Some(standing) = reading.get("standing") {
        view["state"] = standing.clone();
    }
    let data = &mut view["data"];
    for name in ["agreement", "started_at", "due_at", "stopped_at", "breached_at"] {
        data[name] = reading.get(name).cloned().unwrap_or_default();
    }
    for name in ["elapsed_seconds", "allowed_seconds"] {
        data[name] = reading.get(name).cloned().unwrap_or_default();
    }
    data["reading"] = Value::Object(reading);
}

/// The calculation `clock(terms, moments, corrections, deadline, warned, now)` of the definition.
///
/// # Errors
/// A sentence, when what is given cannot be measured.
pub fn clock(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let [terms, moments, corrections, deadline, warned, now] = given else {
        return Err("it takes terms, moments, corrections, deadline, warned and now".to_owned());
    };
    let case = case(terms, moments, corrections, deadline)?;
    let now = instant_of(now).ok_or("its last argument is an instant")?;
    let measure = measure(&case, schemes, now.timestamp())?;
    let reading = Reading::of(&measure, warned.as_i64().unwrap_or(0));
    serde_json::to_value(reading).map_err(|fault| fault.to_string())
}
