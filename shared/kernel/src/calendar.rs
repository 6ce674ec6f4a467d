//! Business time: when a service works, and when a span of working time ends.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{Span, Timetable};

/// A stretch of work within one day, `08:00` to `18:00`; `24:00` ends a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Seconds after local midnight.
    pub from: u32,
    pub to: u32,
}

/// How a calendar is written in a scheme file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarSource {
    /// IANA zone, `Europe/Berlin`.
    pub zone: String,
    /// Shifts a weekday, Monday first: `{ mon: ["08:00-12:00", "13:00-17:00"] }`.
    pub week: std::collections::BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub holidays: BTreeSet<NaiveDate>,
}

/// Working hours in a zone, sound by construction: shifts are in order and do not overlap, and at
/// least one weekday has one.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: Tz,
    week: [Vec<Shift>; 7],
    holidays: BTreeSet<NaiveDate>,
    /// Made when it is first asked for.
    timetable: OnceLock<Arc<Timetable>>,
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// No span of working time is searched further than this; a calendar that is closed for longer is
/// a fault of its author.
const HORIZON_DAYS: u64 = 366 * 20;

impl TryFrom<CalendarSource> for Calendar {
    type Error = Vec<String>;

    fn try_from(source: CalendarSource) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let zone = source.zone.parse::<Tz>().unwrap_or_else(|_| {
            faults.push(format!("`{}` is not an IANA time zone", source.zone));
            Tz::UTC
        });
        let mut week: [Vec<Shift>; 7] = Default::default();
        for (day, shifts) in &source.week {
            let Some(index) = WEEKDAYS.iter().position(|name| name == day) else {
                faults.push(format!("`{day}` is not one of {}", WEEKDAYS.join(", ")));
                continue;
            };
            let mut end = 0;
            for text in shifts {
                match shift(text) {
                    Some(shift) if shift.from >= end => {
                        end = shift.to;
                        week[index].push(shift);
                    }
                    Some(_) => faults.push(format!("{day}: `{text}` overlaps the shift before it")),
                    None => faults.push(format!("{day}: `{text}` is not `HH:MM-HH:MM`")),
                }
            }
        }
        if week.iter().all(Vec::is_empty) {
            faults.push("no weekday has a shift".to_owned());
        }
        if faults.is_empty() {
            Ok(Self { zone, week, holidays: source.holidays, timetable: OnceLock::new() })
        } else {
            Err(faults)
        }
    }
}

fn shift(text: &str) -> Option<Shift> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (second_of_day(from)?, second_of_day(to)?);
    (from < to).then_some(Shift { from, to })
}

fn second_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours * 3600 + minutes * 60;
    (minutes < 60 && seconds <= 86_400).then_some(seconds)
}

impl Calendar {
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The shifts of a date: none on a holiday.
    #[must_use]
    pub fn shifts(&self, date: NaiveDate) -> &[Shift] {
        if self.holidays.contains(&date) {
            return &[];
        }
        &self.week[date.weekday().num_days_from_monday() as usize]
    }

    /// Its working time laid out on the line of instants, for those who measure much.
    #[must_use]
    pub fn timetable(&self) -> &Timetable {
        self.timetable.get_or_init(|| Arc::new(Timetable::of(self)))
    }

    /// When `span` of working time, begun at `from`, is over; `None` when the calendar stays
    /// closed for twenty years.
    ///
    /// Whole days first: the same time of day, that many working dates later. Then the seconds,
    /// counted only inside shifts.
    #[must_use]
    pub fn after(&self, from: DateTime<Utc>, span: Span) -> Option<DateTime<Utc>> {
        let local = from.with_timezone(&self.zone);
        let date = self.nth_working_date(local.date_naive(), span.days)?;
        let start =
            if span.days == 0 { from } else { self.instant(date, seconds_of(local.time())) };
        if span.seconds == 0 { Some(start) } else { self.after_seconds(start, span.seconds) }
    }

    pub(crate) fn nth_working_date(&self, date: NaiveDate, count: u32) -> Option<NaiveDate> {
        if count == 0 {
            return Some(date);
        }
        (1..=HORIZON_DAYS)
            .filter_map(|ahead| date.checked_add_days(Days::new(ahead)))
            .filter(|date| !self.shifts(*date).is_empty())
            .nth(count as usize - 1)
    }

    fn after_seconds(&self, from: DateTime<Utc>, seconds: u32) -> Option<DateTime<Utc>> {
        let first = from.with_timezone(&self.zone).date_naive();
        let mut left = TimeDelta::seconds(i64::from(seconds));
        for ahead in 0..=HORIZON_DAYS {
            let date = first.checked_add_days(Days::new(ahead))?;
            for shift in self.shifts(date) {
                let begin = self.instant(date, shift.from).max(from);
                let worked = self.instant(date, shift.to) - begin;
                if worked >= left {
                    return Some(begin + left);
                }
                left -= worked.max(TimeDelta::zero());
            }
        }
        None
    }

    pub(crate) fn instant(&self, date: NaiveDate, second: u32) -> DateTime<Utc> {
        instant_in(self.zone, date, second)
    }
}

/// A local time of a date as an instant. In the hour that a clock change skips, the instant after it;
/// in the hour that it repeats, the first of the two.
pub(crate) fn instant_in(zone: Tz, date: NaiveDate, second: u32) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    let mut local = midnight + TimeDelta::seconds(i64::from(second));
    loop {
        if let Some(found) = zone.from_local_datetime(&local).earliest() {
            return found.with_timezone(&Utc);
        }
        // A skipped stretch is at most a day long (Samoa, 2011), in steps of a quarter hour.
        local += TimeDelta::minutes(15);
    }
}

pub(crate) fn seconds_of(time: NaiveTime) -> u32 {
    (time - NaiveTime::MIN).num_seconds().try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Calendar {
        let week = ["mon", "tue", "wed", "thu", "fri"]
            .map(|day| (day.to_owned(), vec!["08:00-18:00".to_owned()]));
        let holidays = BTreeSet::from([NaiveDate::from_ymd_opt(2026, 12, 25).unwrap_or_default()]);
        CalendarSource { zone: "Europe/Berlin".to_owned(), week: week.into(), holidays }
            .try_into()
            .unwrap_or_else(|faults: Vec<String>| panic!("{faults:?}"))
    }

    fn check(from: &str, span: &str, expected: &str) {
        let at = |text: &str| -> DateTime<Utc> {
            text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
        };
        let span = span.parse().unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(berlin().after(at(from), span), Some(at(expected)));
    }

    #[test]
    fn eight_working_hours_cross_a_weekend_and_a_clock_change() {
        check("2026-03-27T16:30:00Z", "PT8H", "2026-03-30T13:30:00Z");
    }

    #[test]
    fn five_working_days_end_at_the_same_time_of_day() {
        check("2026-03-26T16:00:00Z", "P5D", "2026-04-02T15:00:00Z");
    }

    #[test]
    fn a_span_begun_on_a_weekend_counts_from_monday() {
        check("2026-11-21T10:00:00Z", "P1D", "2026-11-23T10:00:00Z");
        check("2026-11-21T10:00:00Z", "PT1H", "2026-11-23T08:00:00Z");
    }

    #[test]
    fn a_holiday_is_no_working_day() {
        check("2026-12-24T12:00:00Z", "P1D", "2026-12-28T12:00:00Z");
        check("2026-12-24T16:00:00Z", "PT2H", "2026-12-28T08:00:00Z");
    }

    #[test]
    fn every_fault_of_a_calendar_is_told_at_once() {
        let week = [("mon".to_owned(), vec!["18:00-08:00".to_owned()]), ("day".to_owned(), vec![])];
        let source = CalendarSource {
            zone: "Europe/Atlantis".to_owned(),
            week: week.into(),
            holidays: BTreeSet::new(),
        };
        let faults = Calendar::try_from(source).err().unwrap_or_default();
        assert_eq!(faults.len(), 4, "{faults:?}");
    }
}
