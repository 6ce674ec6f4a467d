//! What a promise stands on: what own groups and suppliers promise us must fit into what we promise
//! (ISO/IEC 20000-1:2018, 8.3.4; catalogue section 2.13, SLM-3).

use engine::Schemes;
use kernel::Span;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::terms::{Limit, Target};

/// What another agreement promises us for a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backing {
    /// `SLA0000002`
    pub agreement: String,
    /// The target of that agreement.
    pub target: String,
    pub within: Span,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
}

/// Why a limit does not stand on what backs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// Nothing backs the target.
    Unbacked,
    /// What backs it takes longer altogether.
    TooLong,
    /// What backs it counts in other hours, or in hours and not in days, so that nobody can say whether
    /// it fits.
    OtherHours,
}

impl Gap {
    /// Whether the agreement waits for somebody to accept it.
    fn blocks(self) -> bool {
        self != Self::Unbacked
    }
}

/// Seconds, days of a calendar apart: only what counts the same can be compared.
fn length(span: Span, calendar: Option<&str>) -> (u64, u64) {
    let (days, seconds) = (u64::from(span.days), u64::from(span.seconds));
    if calendar.is_none() { (0, days * 86_400 + seconds) } else { (days, seconds) }
}

/// What is between a limit and those who back it, one after the other.
#[must_use]
pub fn gap(limit: &Limit, backed_by: &[Backing]) -> Option<Gap> {
    if backed_by.is_empty() {
        return Some(Gap::Unbacked);
    }
    let hours = limit.calendar.as_deref();
    let (mut days, mut seconds) = (0, 0);
    for backing in backed_by {
        let theirs = backing.calendar.as_deref();
        // Work that takes so long by the clock takes no longer in anybody's hours.
        if theirs.is_some() && theirs != hours {
            return Some(Gap::OtherHours);
        }
        let (more_days, more_seconds) = length(backing.within, theirs);
        days += more_days;
        seconds += more_seconds;
    }
    let (allowed_days, allowed_seconds) = length(limit.within, hours);
    // How many hours of work a day has is not the same every day.
    if (days == 0) != (allowed_days == 0) {
        return Some(Gap::OtherHours);
    }
    let fits = days <= allowed_days && seconds <= allowed_seconds;
    (!fits).then_some(Gap::TooLong)
}

/// `gaps(kind, targets)`: where targets of a customer's agreement do not stand on others. What supports
/// it stands on nothing here.
pub(crate) fn gaps(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let [kind, targets] = given else { return Err("it takes a kind and targets".to_owned()) };
    if **kind != "sla" {
        return Ok(json!([]));
    }
    let targets: Vec<Target> = Vec::deserialize(*targets).unwrap_or_default();
    let mut gaps = Vec::new();
    for target in &targets {
        for limit in &target.limits {
            let Some(gap) = gap(limit, &target.backed_by) else { continue };
            gaps.push(json!({
                "target": target.name,
                "when": limit.when,
                "within": limit.within,
                "calendar": limit.calendar,
                "backed_by": target.backed_by,
                "gap": gap,
                "blocks": gap.blocks(),
            }));
        }
    }
    Ok(Value::Array(gaps))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: Value, backed_by: Value, expected: Option<Gap>) {
        let limit: Limit = serde_json::from_value(limit).unwrap();
        let mut all: Vec<Backing> = Vec::new();
        for one in backed_by.as_array().unwrap() {
            let mut one = one.clone();
            one["agreement"] = json!("SLA0000002");
            one["target"] = json!("restore");
            all.push(serde_json::from_value(one).unwrap());
        }
        assert_eq!(gap(&limit, &all), expected, "{limit:?} on {all:?}");
    }

    #[test]
    fn a_promise_stands_on_what_fits_into_it() {
        let four = json!({ "within": "PT4H" });
        check(four.clone(), json!([]), Some(Gap::Unbacked));
        check(four.clone(), json!([{ "within": "PT8H" }]), Some(Gap::TooLong));
        check(four.clone(), json!([{ "within": "PT3H" }, { "within": "PT1H" }]), None);
        check(
            four.clone(),
            json!([{ "within": "PT3H" }, { "within": "PT1H1S" }]),
            Some(Gap::TooLong),
        );
        check(four, json!([{ "within": "PT4H", "calendar": "office" }]), Some(Gap::OtherHours));
        let days = json!({ "within": "P3D", "calendar": "office" });
        check(days.clone(), json!([{ "within": "P2D", "calendar": "office" }]), None);
        check(days.clone(), json!([{ "within": "P4D", "calendar": "office" }]), Some(Gap::TooLong));
        check(
            days.clone(),
            json!([{ "within": "P2D", "calendar": "yard" }]),
            Some(Gap::OtherHours),
        );
        check(days, json!([{ "within": "PT1H", "calendar": "office" }]), Some(Gap::OtherHours));
    }
}
