//! When something happened: working days before the last whole one, told in the organisation's own time.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{Europe::Berlin, Tz};
use kernel::Span;

/// Where the organisation works; its calendars count in the same zone.
const ZONE: Tz = Berlin;

/// The days of a history that ends at a moment.
#[derive(Clone, Copy, Debug)]
pub struct History {
    end: DateTime<Utc>,
}

impl History {
    pub fn until(end: DateTime<Utc>) -> Self {
        Self { end }
    }

    /// Reads a moment; `base` is what `+` and `-` are counted from.
    ///
    /// - `12 09:15`: twelve working days before the last whole one
    /// - `+2 09:15`: two working days later
    /// - `+0:20`, `-0:20`: hours and minutes later or earlier
    /// - `+P30D`: a span later
    /// - `ago 1:30`: before the end
    ///
    /// # Errors
    /// What is none of these.
    pub fn moment(&self, text: &str, base: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, String> {
        self.read(text, base).ok_or_else(|| format!("`{text}` is no moment here"))
    }

    fn read(&self, text: &str, base: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        if let Some(back) = text.strip_prefix("ago ") {
            return Some(self.end - hours(back)?);
        }
        if let Some(later) = text.strip_prefix('+') {
            let base = base?;
            return match later.split_once(' ') {
                Some((days, time)) => {
                    let day = base.with_timezone(&ZONE).date_naive();
                    at(working_days_after(day, days.parse().ok()?), time)
                }
                None if later.starts_with('P') => {
                    let span: Span = later.parse().ok()?;
                    Some(
                        base + TimeDelta::days(span.days.into())
                            + TimeDelta::seconds(span.seconds.into()),
                    )
                }
                None => Some(base + hours(later)?),
            };
        }
        if let Some(earlier) = text.strip_prefix('-') {
            return Some(base? - hours(earlier)?);
        }
        let (days, time) = text.split_once(' ')?;
        at(working_days_before(self.last_whole(), days.parse().ok()?), time)
    }

    /// The last working day that is over.
    fn last_whole(&self) -> NaiveDate {
        working_days_before(self.end.with_timezone(&ZONE).date_naive(), 1)
    }
}

fn hours(text: &str) -> Option<TimeDelta> {
    let (hours, minutes) = text.split_once(':')?;
    Some(TimeDelta::hours(hours.parse().ok()?) + TimeDelta::minutes(minutes.parse().ok()?))
}

/// The moment of a time of day; an hour that the zone leaves out has none.
fn at(day: NaiveDate, time: &str) -> Option<DateTime<Utc>> {
    let time = NaiveTime::parse_from_str(time, "%H:%M").ok()?;
    let local = ZONE.from_local_datetime(&day.and_time(time)).earliest()?;
    Some(local.with_timezone(&Utc))
}

fn working_days_before(day: NaiveDate, count: u32) -> NaiveDate {
    walk(day, count, |day| day - Days::new(1))
}

fn working_days_after(day: NaiveDate, count: u32) -> NaiveDate {
    walk(day, count, |day| day + Days::new(1))
}

fn walk(mut day: NaiveDate, mut count: u32, step: impl Fn(NaiveDate) -> NaiveDate) -> NaiveDate {
    while count > 0 {
        day = step(day);
        if day.weekday().number_from_monday() <= 5 {
            count -= 1;
        }
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(end: &str, text: &str, base: Option<&str>, expected: &str) {
        let days = History::until(end.parse().unwrap());
        let base = base.map(|base| base.parse().unwrap());
        assert_eq!(days.moment(text, base).unwrap(), expected.parse::<DateTime<Utc>>().unwrap());
    }

    #[test]
    fn days_are_working_days_of_the_zone() {
        // A Monday: the last whole working day is the Friday before.
        let monday = "2026-11-23T08:00:00Z";
        check(monday, "0 09:15", None, "2026-11-20T08:15:00Z");
        check(monday, "5 09:15", None, "2026-11-13T08:15:00Z");
        // In summer the zone is two hours ahead.
        check(monday, "21 09:15", None, "2026-10-22T07:15:00Z");
        // A Sunday's last whole working day is a Friday, too.
        check("2026-11-22T20:00:00Z", "0 09:15", None, "2026-11-20T08:15:00Z");
        check(monday, "ago 1:30", None, "2026-11-23T06:30:00Z");
    }

    #[test]
    fn a_plus_counts_from_the_step_before() {
        let (monday, friday) = ("2026-11-23T08:00:00Z", Some("2026-11-20T15:00:00Z"));
        check(monday, "+0:20", friday, "2026-11-20T15:20:00Z");
        check(monday, "-0:20", friday, "2026-11-20T14:40:00Z");
        check(monday, "+1 08:30", friday, "2026-11-23T07:30:00Z");
        check(monday, "+P30D", friday, "2026-12-20T15:00:00Z");
    }

    #[test]
    fn what_is_no_moment_is_told() {
        let days = History::until("2026-11-23T08:00:00Z".parse().unwrap());
        for text in ["soon", "3", "x 09:15", "3 25:00", "+P", "ago 5"] {
            assert!(days.moment(text, "2026-11-20T15:00:00Z".parse().ok()).is_err(), "{text}");
        }
    }
}
