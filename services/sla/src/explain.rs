//! Why a clock stands where it stands: every segment with its reason, and one sentence for a customer.

use chrono::{DateTime, SecondsFormat, Utc};
use kernel::ZONE_DATA;
use serde::Serialize;

use crate::measure::{Allowed, Measure, Phase, Standing, What};

/// A part of the line of time from the start to the instant asked for. Each begins where the one
/// before it ends, and the seconds of the running ones add up to what has elapsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    pub from: String,
    pub to: String,
    pub seconds: i64,
    /// Whether they count.
    pub running: bool,
    pub because: String,
    /// The event that began it: `incident.held.v1`.
    pub event: String,
    /// The record's revision after that event.
    pub revision: u64,
    /// `SLA0000001, version 2`
    pub agreement: Option<String>,
    /// `service-hours, version 1`; none where every hour counts.
    pub calendar: Option<String>,
    pub zone_data: &'static str,
}

/// An instant as the API writes it.
#[must_use]
pub fn time(at: i64) -> String {
    let at = DateTime::<Utc>::from_timestamp(at, 0).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Every segment of a clock, in order.
#[must_use]
pub fn segments(measure: &Measure<'_>) -> Vec<Segment> {
    let mut segments = Vec::new();
    for phase in &measure.phases {
        if phase.what != What::Running || measure.allowed.is_none() {
            segments.push(segment(measure, phase, (phase.from, phase.to), false));
            continue;
        }
        let mut at = phase.from;
        for (from, to) in measure.stretches(phase.from, phase.to) {
            if at < from {
                segments.push(segment(measure, phase, (at, from), false));
            }
            segments.push(segment(measure, phase, (from, to), true));
            at = to;
        }
        if at < phase.to {
            segments.push(segment(measure, phase, (at, phase.to), false));
        }
    }
    // Moments of one second leave nothing between them.
    segments.retain(|segment| segment.seconds > 0);
    segments
}

fn segment(
    measure: &Measure<'_>,
    phase: &Phase<'_>,
    (from, to): (i64, i64),
    running: bool,
) -> Segment {
    Segment {
        from: time(from),
        to: time(to),
        seconds: to - from,
        running,
        because: because(measure, phase, running),
        event: phase.by.kind.clone(),
        revision: phase.by.rev,
        agreement: measure
            .terms
            .map(|terms| format!("{}, version {}", terms.number, terms.version)),
        calendar: calendar(measure),
        zone_data: ZONE_DATA,
    }
}

/// The calendar that counts, with the version that the terms pin.
fn calendar(measure: &Measure<'_>) -> Option<String> {
    let name = measure.allowed.as_ref()?.limit.calendar.as_ref()?;
    let version = measure.terms?.calendars.get(name)?;
    Some(format!("{name}, version {version}"))
}

fn because(measure: &Measure<'_>, phase: &Phase<'_>, running: bool) -> String {
    let held = phase.because.map(|condition| condition.said_of(&phase.by.fields));
    match (phase.what, held) {
        (What::Running, _) if running => "the clock runs".to_owned(),
        (What::Running, _) => match calendar(measure) {
            Some(calendar) => format!("outside the hours of {calendar}"),
            None => "no limit of the agreement fits the record".to_owned(),
        },
        (What::Paused, held) => format!("paused: {}", held.unwrap_or_default()),
        (What::Stopped, held) => format!("stopped: {}", held.unwrap_or_default()),
        (What::Cancelled, Some(held)) => format!("cancelled: {held}"),
        (What::Cancelled, None) => "cancelled: no agreement applies".to_owned(),
    }
}

/// `4 h`, `50 h 5 min`, `40 s`.
fn length(seconds: i64) -> String {
    let parts =
        [(seconds / 3_600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")].into_iter();
    let said: Vec<String> = parts
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if said.is_empty() { "no time".to_owned() } else { said.join(" ") }
}

/// The limit as people say it: `4 h round the clock`, `3 working days (30 h) in the hours office`.
fn promise(allowed: &Allowed<'_>) -> String {
    let (length, within) = (length(allowed.seconds), allowed.limit.within);
    match &allowed.limit.calendar {
        None => format!("{length} round the clock"),
        Some(name) if within.days > 0 && within.seconds == 0 => {
            let days = if within.days == 1 { "working day" } else { "working days" };
            format!("{} {days} ({length}) in the hours {name}", within.days)
        }
        Some(name) => format!("{length} in the hours {name}"),
    }
}

/// What a customer is told, in one sentence.
#[must_use]
pub fn sentence(number: &str, target: &str, measure: &Measure<'_>) -> String {
    let Some((allowed, terms)) = measure.allowed.as_ref().zip(measure.terms) else {
        return match measure.standing() {
            Standing::Cancelled if measure.phases.is_empty() => {
                format!("The {target} of {number} is not measured: no agreement applies to it.")
            }
            Standing::Cancelled => format!("The {target} of {number} is not measured any more."),
            _ => format!("The {target} of {number} is not measured: no limit fits it yet."),
        };
    };
    let used = length(measure.elapsed());
    if let Some(deadline) = measure.deadline {
        let stands = match measure.standing() {
            Standing::Met => format!("it was kept, after {used}"),
            Standing::Breached => format!("it was missed; {used} are used"),
            Standing::Running | Standing::Paused => format!("{used} are used"),
            _ => "it is not measured any more".to_owned(),
        };
        return format!(
            "The {target} of {number} is due at {}, which was set by hand; {stands}.",
            time(deadline)
        );
    }
    let promised =
        format!("{} promises {target} of {number} within {}", terms.number, promise(allowed));
    let paused: i64 = measure
        .phases
        .iter()
        .filter(|phase| phase.what == What::Paused)
        .flat_map(|phase| measure.stretches(phase.from, phase.to))
        .map(|(from, to)| to - from)
        .sum();
    let pauses = match paused {
        0 => String::new(),
        paused => format!(", {} of pauses not counted", length(paused)),
    };
    let spare = allowed.seconds - measure.elapsed();
    let stands = match (measure.standing(), measure.due_at()) {
        (Standing::Met, _) => format!("it took {used}{pauses}, {} to spare", length(spare)),
        (Standing::Breached, Some(due)) => {
            let late = length(-spare);
            format!("that was missed at {}: it took {used}{pauses}, {late} too long", time(due))
        }
        (Standing::Running, Some(due)) => {
            format!("{used} are used{pauses}, and it is due at {}", time(due))
        }
        (Standing::Paused, _) => {
            format!("{used} are used{pauses}, {} are left when it goes on", length(spare))
        }
        _ => "it is not measured any more".to_owned(),
    };
    format!("{promised}; {stands}.")
}
