//! What else was agreed of a target: credits, notices, and the hours in which they are given.

use engine::{Schemes, instant_of};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::explain::time;

/// What the customer is told of a target, beside what its record shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// Only in the hours of this calendar; at any time where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// What was agreed to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// `agreed(terms, agreement, name)`: what an agreement says of its target under a name, or null.
pub(crate) fn agreed(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let [terms, agreement, name] = given else {
        return Err("it takes terms, the number of an agreement and a name".to_owned());
    };
    let mut terms = terms.as_array().map_or(&[][..], Vec::as_slice).iter();
    let terms = terms.find(|terms| terms.get("number") == Some(*agreement));
    let target = terms.and_then(|terms| terms.get("target"));
    let value = target.and_then(|target| target.get(name.as_str()?));
    Ok(value.cloned().unwrap_or_default())
}

/// `next_hours(calendar, now)`: now, or where it lies outside of the calendar's hours, when they
/// next begin.
pub(crate) fn next_hours(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let [calendar, now] = given else { return Err("it takes a calendar and now".to_owned()) };
    let now = instant_of(now).ok_or("its last argument is an instant")?;
    let Some(name) = calendar.as_str() else { return Ok(json!(now)) };
    let calendar =
        schemes.calendar(name).ok_or_else(|| format!("there is no calendar `{name}`"))?;
    let second = now.timestamp();
    // The first second of work from here on ends a second after it begins.
    let end = calendar.timetable().reached(second, 1).ok_or("the calendar has come to its end")?;
    Ok(if end == second + 1 { json!(now) } else { json!(time(end - 1)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_waits_for_the_hours_in_which_it_is_wanted() {
        let office = "scheme: office\nkind: calendar\ncalendar:\n  zone: Europe/Berlin\n  week: { fri: [\"08:00-18:00\"], mon: [\"08:00-18:00\"] }\n";
        let schemes = Schemes::parse_all(&[("office", office)]).unwrap();
        let next = |now: &str| next_hours(&[&json!("office"), &json!(now)], &schemes).unwrap();
        assert_eq!(next("2026-03-27T12:00:00Z"), "2026-03-27T12:00:00Z");
        // After hours on the Friday before the clocks change.
        assert_eq!(next("2026-03-27T17:00:00Z"), "2026-03-30T06:00:00Z");
        assert_eq!(next("2026-03-29T23:00:00Z"), "2026-03-30T06:00:00Z");
        assert_eq!(next("2026-03-30T06:00:00Z"), "2026-03-30T06:00:00Z");
        assert!(next_hours(&[&json!("yard"), &json!("2026-03-27T12:00:00Z")], &schemes).is_err());
        let always = next_hours(&[&Value::Null, &json!("2026-03-29T03:00:00Z")], &schemes);
        assert_eq!(always, Ok(json!("2026-03-29T03:00:00Z")));
    }
}
