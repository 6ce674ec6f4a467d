//! A record's story in a few words, and what its clock makes of it.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::{DateTime, Utc};
use engine::{Scheme, Schemes};
use serde_json::{Map, Value, json};
use sla::{
    case::{Case, Correction, Moment},
    explain::{Segment, segments},
    measure::{Measure, Standing, measure},
    terms::{Target, Terms},
};

/// `08:00-18:00` in Berlin, with a lunch break in `split`, the first of May off.
const CALENDARS: [(&str, &str); 2] =
    [("service-hours", "[\"08:00-18:00\"]"), ("split", "[\"08:00-12:00\", \"13:00-18:00\"]")];

/// Made once: a timetable takes a while.
pub fn schemes() -> &'static Schemes {
    static SCHEMES: LazyLock<Schemes> = LazyLock::new(|| {
        let calendars = CALENDARS.iter().map(|(name, shifts)| calendar(name, 1, shifts));
        Schemes::new(calendars.collect())
    });
    &SCHEMES
}

pub fn calendar(name: &str, version: u32, shifts: &str) -> Scheme {
    let days: String = ["mon", "tue", "wed", "thu", "fri"]
        .iter()
        .map(|day| format!("    {day}: {shifts}\n"))
        .collect();
    let text = format!(
        "scheme: {name}\nkind: calendar\ncalendar:\n  zone: Europe/Berlin\n  holidays: [2026-05-01]\n  week:\n{days}"
    );
    Scheme::parse(&text, version).unwrap_or_else(|faults| panic!("{faults:?}"))
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

/// The resolution target of the catalogue, section 3.2: waiting for the caller pauses, nothing else does.
pub fn resolution() -> Target {
    let target = json!({
        "name": "resolution", "process": "incident",
        "stops": [{ "state": ["resolved", "closed"] }],
        "reopens": [{ "event": ["reopened"] }],
        "pauses": [{ "state": ["on_hold"], "hold_reason": ["caller"] }],
        "cancels": [{ "state": ["cancelled"] }],
        "limits": [
            { "when": { "priority": [1] }, "within": "PT4H" },
            { "when": { "priority": [2] }, "within": "PT8H", "calendar": "service-hours" },
            { "when": { "priority": [3] }, "within": "P3D", "calendar": "service-hours" },
            { "when": { "priority": [4] }, "within": "P5D", "calendar": "split" },
        ],
    });
    serde_json::from_value(target).unwrap_or_else(|fault| panic!("{fault}"))
}

pub fn terms(agreement: &str, target: Target) -> Terms {
    Terms {
        agreement: agreement.to_owned(),
        number: format!("SLA-{agreement}"),
        version: 1,
        target,
        calendars: BTreeMap::from(CALENDARS.map(|(name, _)| (name.to_owned(), 1))),
    }
}

/// An incident, told event by event; each field keeps its value until it is given another.
pub struct Told {
    pub case: Case,
    fields: Map<String, Value>,
    under: Option<String>,
}

impl Told {
    /// Opened at an instant with a priority, under the agreement `A`.
    pub fn opened(when: &str, priority: u64) -> Self {
        Self::under(resolution(), when, priority)
    }

    /// Opened while no agreement applied to it.
    pub fn unpromised(when: &str, priority: u64) -> Self {
        let mut told = Self::opened(when, priority);
        told.case.terms.clear();
        told.case.moments[0].under = None;
        told.under = None;
        told
    }

    /// Due at an instant that somebody set.
    pub fn by_hand(mut self, when: &str) -> Self {
        self.case.deadline = Some(at(when));
        self
    }

    pub fn under(target: Target, when: &str, priority: u64) -> Self {
        let case = Case { terms: vec![terms("A", target)], ..Case::default() };
        let told = Self { case, fields: Map::new(), under: Some("A".to_owned()) };
        told.then(when, "opened", json!({ "state": "new", "priority": priority }))
    }

    pub fn then(mut self, when: &str, event: &str, fields: Value) -> Self {
        self.fields.extend(fields.as_object().cloned().unwrap_or_default());
        self.fields.insert("event".to_owned(), json!(event));
        self.case.moments.push(Moment {
            at: at(when),
            rev: self.case.moments.len() as u64 + 1,
            kind: format!("incident.{event}.v1"),
            fields: self.fields.clone(),
            under: self.under.clone(),
            decides: event == "opened",
        });
        self
    }

    pub fn held(self, when: &str, reason: &str) -> Self {
        self.then(when, "held", json!({ "state": "on_hold", "hold_reason": reason }))
    }

    pub fn resumed(self, when: &str) -> Self {
        self.then(when, "resumed", json!({ "state": "in_progress", "hold_reason": null }))
    }

    pub fn resolved(self, when: &str) -> Self {
        self.then(when, "resolved", json!({ "state": "resolved" }))
    }

    pub fn reopened(self, when: &str) -> Self {
        self.then(when, "reopened", json!({ "state": "in_progress" }))
    }

    pub fn prioritised(self, when: &str, priority: u64) -> Self {
        self.then(when, "reprioritised", json!({ "priority": priority }))
    }

    /// From here on another agreement applies.
    pub fn moved_to(mut self, agreement: &str, target: Target, when: &str) -> Self {
        self.case.terms.push(terms(agreement, target));
        self.under = Some(agreement.to_owned());
        let mut told = self.then(when, "amended", json!({}));
        if let Some(moment) = told.case.moments.last_mut() {
            moment.decides = true;
        }
        told
    }

    /// Another agreement was signed meanwhile, which would apply to what is opened now.
    pub fn signed_meanwhile(mut self, agreement: &str, target: Target) -> Self {
        self.case.terms.push(terms(agreement, target));
        self.under = Some(agreement.to_owned());
        self
    }

    pub fn corrected(mut self, rev: u64, when: Option<&str>) -> Self {
        self.case.corrections.push(Correction { rev, at: when.map(at) });
        self
    }

    /// How the clock stands at an instant: its state, the seconds used, when it is due.
    pub fn check(&self, when: &str, standing: Standing, elapsed: i64, due: Option<&str>) {
        let measure = self.measured(schemes(), when);
        let found = (measure.standing(), measure.elapsed(), measure.due_at());
        let due = due.map(|due| at(due).timestamp());
        assert_eq!(found, (standing, elapsed, due), "{:#?}", segments(&measure));
        sound(&measure);
    }

    pub fn measured<'a>(&'a self, schemes: &'a Schemes, when: &str) -> Measure<'a> {
        measure(&self.case, schemes, at(when).timestamp()).unwrap_or_else(|fault| panic!("{fault}"))
    }
}

/// What holds of every clock: its segments follow each other without gap or overlap, and the running
/// ones add up to what has elapsed.
pub fn sound(measure: &Measure<'_>) {
    let segments: Vec<Segment> = segments(measure);
    for pair in segments.windows(2) {
        assert_eq!(pair[0].to, pair[1].from, "{segments:#?}");
    }
    let running: i64 =
        segments.iter().filter(|segment| segment.running).map(|segment| segment.seconds).sum();
    assert_eq!(running, measure.elapsed(), "{segments:#?}");
    let whole: i64 = segments.iter().map(|segment| segment.seconds).sum();
    let lived = measure.started_at().map_or(0, |start| measure.as_of - start);
    assert_eq!(whole, lived, "{segments:#?}");
}
