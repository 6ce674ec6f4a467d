//! What an agreement says of one target: from where to where, what pauses it, how long it may take.

use std::collections::BTreeMap;

use engine::Schemes;
use kernel::{Calendar, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{agreed::Notices, support::Backing};

/// No promise looks further ahead: ten years.
const LONGEST_DAYS: u64 = 3_660;

/// Field to the values that do: all fields must have one of theirs. `event` is the name of what
/// happened, `state` where the record stands after it, all others are fields of the record's data;
/// a null stands for a field without value. A condition without fields always holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition(pub BTreeMap<String, Vec<Value>>);

impl Condition {
    #[must_use]
    pub fn holds(&self, fields: &Map<String, Value>) -> bool {
        self.0
            .iter()
            .all(|(name, values)| values.contains(fields.get(name).unwrap_or(&Value::Null)))
    }

    /// `state is on_hold, hold_reason is caller`: the values of `fields` that made it hold.
    #[must_use]
    pub fn said_of(&self, fields: &Map<String, Value>) -> String {
        let said = self.0.keys().map(|name| match fields.get(name) {
            Some(Value::String(text)) => format!("{name} is {text}"),
            Some(value) if !value.is_null() => format!("{name} is {value}"),
            _ => format!("{name} is not set"),
        });
        said.collect::<Vec<_>>().join(", ")
    }
}

/// How long a target may take, for the records that its condition holds of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    #[serde(default)]
    pub when: Condition,
    /// `PT4H`, `P3D`: a day is a working day of the calendar, or 24 hours without one.
    pub within: Span,
    /// The calendar whose hours count; round the clock where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
}

/// One promise of an agreement: from one point of a process to another within a time
/// (ISO/IEC 20000-1:2018, 8.3.3). Of the lists of conditions any one that holds will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `resolution`
    pub name: String,
    /// The process whose records are measured: `incident`.
    pub process: String,
    /// Where the clock starts; when the record is opened, if nothing is said.
    #[serde(default)]
    pub starts: Vec<Condition>,
    /// Where it stops.
    pub stops: Vec<Condition>,
    /// While one of these holds, it stands still. Nothing else pauses it.
    #[serde(default)]
    pub pauses: Vec<Condition>,
    /// Where a stopped clock goes on as the same clock.
    #[serde(default)]
    pub reopens: Vec<Condition>,
    /// Where it begins anew, from nothing.
    #[serde(default)]
    pub restarts: Vec<Condition>,
    /// While one of these holds, nothing is owed.
    #[serde(default)]
    pub cancels: Vec<Condition>,
    /// The first that fits the record as it is counts, from the original start.
    pub limits: Vec<Limit>,
    /// Per cent of the time used at which a warning is given.
    #[serde(default = "warnings")]
    pub warn_at: Vec<i64>,
    /// Fields that are kept although no condition asks for them, so that another way to come from them
    /// to a priority can be tried on the past.
    #[serde(default = "kept", skip_serializing_if = "is_kept_always")]
    pub keeps: Vec<String>,
    /// Per cent of the results of a period that must be met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<f64>,
    /// Per cent of the fee that each miss is worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<f64>,
    /// The customer is told of warnings and breaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices: Option<Notices>,
    /// What others promise us, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backed_by: Vec<Backing>,
}

/// When warnings are given, if nothing is said.
fn warnings() -> Vec<i64> {
    vec![50, 75, 90]
}

/// What is kept, if nothing is said: what a priority is derived from.
fn kept() -> Vec<String> {
    ["impact", "urgency", "priority_override"].map(str::to_owned).into()
}

fn is_kept_always(keeps: &Vec<String>) -> bool {
    *keeps == kept()
}

impl Target {
    /// Every list of its conditions.
    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let lists =
            [&self.starts, &self.stops, &self.pauses, &self.reopens, &self.restarts, &self.cancels];
        lists.into_iter().flatten().chain(self.limits.iter().map(|limit| &limit.when))
    }

    /// The fields of the measured record that it asks for, or keeps.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let asked = self.conditions().flat_map(|condition| condition.0.keys().map(String::as_str));
        asked.chain(self.keeps.iter().map(String::as_str))
    }

    /// Every field with every value that a condition names of it.
    pub fn named_values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.conditions()
            .flat_map(|condition| &condition.0)
            .flat_map(|(field, values)| values.iter().map(move |value| (field.as_str(), value)))
    }

    /// Whether it speaks of an event of this name.
    #[must_use]
    pub fn names_event(&self, event: &str) -> bool {
        self.named_values().any(|(field, value)| field == "event" && value == event)
    }

    fn calendars(&self) -> impl Iterator<Item = &str> {
        self.limits.iter().filter_map(|limit| limit.calendar.as_deref())
    }

    /// The versions that its calendars have now.
    #[must_use]
    pub fn calendars_now(&self, schemes: &Schemes) -> BTreeMap<String, u32> {
        let version = |name: &str| Some((name.to_owned(), schemes.get(name)?.version));
        self.calendars().filter_map(version).collect()
    }

    fn faults(&self, schemes: &Schemes) -> Vec<String> {
        let mut faults = Vec::new();
        let told = self.notices.as_ref().and_then(|notices| notices.hours.as_deref());
        let named = self.calendars().chain(told);
        for name in named.filter(|name| schemes.calendar(name).is_none()) {
            faults.push(format!("there is no calendar `{name}`"));
        }
        for Span { days, seconds } in self.limits.iter().map(|limit| limit.within) {
            let length = u64::from(days) * 86_400 + u64::from(seconds);
            if length == 0 || length > LONGEST_DAYS * 86_400 {
                faults.push(format!("a limit is longer than nothing and at most P{LONGEST_DAYS}D"));
            }
        }
        if !self.warn_at.is_sorted_by(|a, b| a < b) {
            faults.push("warnings rise from one to the next".to_owned());
        }
        faults.iter().map(|fault| format!("{}: {fault}", self.name)).collect()
    }
}

/// What keeps targets from being measured; nothing when they are sound.
#[must_use]
pub fn faults(targets: &Value, schemes: &Schemes) -> Vec<String> {
    let targets: Vec<Target> = match serde_json::from_value(targets.clone()) {
        Ok(targets) => targets,
        Err(fault) => return vec![fault.to_string()],
    };
    let mut faults: Vec<String> =
        targets.iter().flat_map(|target| target.faults(schemes)).collect();
    for (place, target) in targets.iter().enumerate() {
        let is_same = |other: &Target| other.name == target.name && other.process == target.process;
        if targets.iter().take(place).any(is_same) {
            faults.push(format!("{}: the target stands twice", target.name));
        }
    }
    faults
}

/// A target as one version of one agreement has it, with the calendars as they were then: what a
/// clock keeps, so that no later edit changes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// The agreement's record.
    pub agreement: String,
    /// `SLA0000001`
    pub number: String,
    pub version: i64,
    pub target: Target,
    /// Calendar to the version that counts.
    #[serde(default)]
    pub calendars: BTreeMap<String, u32>,
}

impl Terms {
    /// The calendar of a limit, in the version that these terms pin.
    ///
    /// # Errors
    /// A sentence, when that version is not at hand.
    pub fn calendar<'a>(
        &self,
        limit: &Limit,
        schemes: &'a Schemes,
    ) -> Result<Option<&'a Calendar>, String> {
        let Some(name) = limit.calendar.as_deref() else { return Ok(None) };
        let version = self.calendars.get(name);
        let found = version.and_then(|version| schemes.calendar_version(name, *version));
        let missing = || format!("the calendar `{name}` is not at hand in version {version:?}");
        found.map(Some).ok_or_else(missing)
    }
}
