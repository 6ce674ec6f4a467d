//! A calendar laid out as instants, so that working time is looked up and not walked day by day.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use crate::{Calendar, Span, calendar::seconds_of};

/// The version of the IANA time zone data that working time is worked out with: `2025b`.
pub const ZONE_DATA: &str = chrono_tz::IANA_TZDB_VERSION;

/// Work is laid out from the first of these years to the end of the last; beyond, there is none.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2060;

/// Work without a pause, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: i64,
    pub to: i64,
    /// Seconds of work before it.
    before: i64,
}

/// All working time of a calendar, in order, none of it touching the next. Exact to the second.
#[derive(Debug, PartialEq, Eq)]
pub struct Timetable {
    stretches: Vec<Stretch>,
}

impl Timetable {
    pub(crate) fn of(calendar: &Calendar) -> Self {
        let first = NaiveDate::from_ymd_opt(*YEARS.start(), 1, 1).unwrap_or_default();
        let dates = first.iter_days().take_while(|date| date.year() <= *YEARS.end());
        let mut stretches: Vec<Stretch> = Vec::new();
        for date in dates {
            for shift in calendar.shifts(date) {
                let from = calendar.instant(date, shift.from).timestamp();
                let to = calendar.instant(date, shift.to).timestamp();
                match stretches.last_mut() {
                    Some(last) if from <= last.to => last.to = last.to.max(to),
                    // An hour that the clock skips has no work in it.
                    _ if to <= from => {}
                    last => {
                        let before = last.map_or(0, |last| last.before + last.to - last.from);
                        stretches.push(Stretch { from, to, before });
                    }
                }
            }
        }
        Self { stretches }
    }

    /// Seconds of work before an instant, since the beginning of the timetable.
    fn before(&self, at: i64) -> i64 {
        let next = self.stretches.partition_point(|stretch| stretch.from <= at);
        let Some(begun) = next.checked_sub(1).and_then(|place| self.stretches.get(place)) else {
            return 0;
        };
        begun.before + at.min(begun.to) - begun.from
    }

    /// Seconds of work between two instants, in seconds since 1970.
    #[must_use]
    pub fn worked(&self, from: i64, to: i64) -> i64 {
        (self.before(to) - self.before(from)).max(0)
    }

    /// The first instant at which `seconds` of work are done since `from`; `None` beyond the years
    /// that are laid out.
    #[must_use]
    pub fn reached(&self, from: i64, seconds: i64) -> Option<i64> {
        if seconds <= 0 {
            return Some(from);
        }
        let done = self.before(from) + seconds;
        let next = self.stretches.partition_point(|stretch| stretch.before < done);
        let stretch = self.stretches.get(next.checked_sub(1)?)?;
        let at = stretch.from + done - stretch.before;
        (at <= stretch.to).then_some(at)
    }

    /// The work that falls between two instants, cut to them.
    pub fn stretches(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
        let first = self.stretches.partition_point(|stretch| stretch.to <= from);
        let rest = self.stretches.get(first..).unwrap_or_default().iter();
        rest.take_while(move |stretch| stretch.from < to)
            .map(move |stretch| (stretch.from.max(from), stretch.to.min(to)))
    }

    /// How many seconds of work a span is that begins at `from`: a day is from the time of day at
    /// which work begins to the same time of the next working date, whatever lies between.
    #[must_use]
    pub fn seconds_of(&self, calendar: &Calendar, from: i64, span: Span) -> Option<i64> {
        let seconds = i64::from(span.seconds);
        if span.days == 0 {
            return Some(seconds);
        }
        // Begun outside of working time, the first day begins with the next work.
        let next = self.stretches.partition_point(|stretch| stretch.to <= from);
        let begin = self.stretches.get(next)?.from.max(from);
        let local = DateTime::<Utc>::from_timestamp(begin, 0)?.with_timezone(&calendar.zone());
        let date = calendar.nth_working_date(local.date_naive(), span.days)?;
        let end = calendar.instant(date, seconds_of(local.time())).timestamp();
        Some(self.worked(begin, end) + seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CalendarSource;

    fn calendar(zone: &str, days: &[&str], shifts: &[&str]) -> Calendar {
        let shifts: Vec<String> = shifts.iter().map(|shift| (*shift).to_owned()).collect();
        let week = days.iter().map(|day| ((*day).to_owned(), shifts.clone())).collect();
        let source = CalendarSource { zone: zone.to_owned(), week, holidays: Default::default() };
        source.try_into().unwrap_or_else(|faults: Vec<String>| panic!("{faults:?}"))
    }

    const WORKDAYS: [&str; 5] = ["mon", "tue", "wed", "thu", "fri"];
    const ALL_DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    fn at(text: &str) -> i64 {
        let parsed: DateTime<Utc> = text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"));
        parsed.timestamp()
    }

    #[test]
    fn it_agrees_with_the_calendar_that_it_lays_out() {
        let berlin = calendar("Europe/Berlin", &WORKDAYS, &["08:00-12:00", "13:00-18:00"]);
        let table = berlin.timetable();
        for hours in 1..60 {
            let from = DateTime::from_timestamp(at("2026-03-27T05:11:00Z") + hours * 2_977, 0);
            let from = from.unwrap_or_default();
            let span = Span { days: 0, seconds: u32::try_from(hours * 1_801).unwrap_or_default() };
            let due = berlin.after(from, span).map(|due| due.timestamp());
            assert_eq!(table.reached(from.timestamp(), i64::from(span.seconds)), due);
            let worked = due.map(|due| table.worked(from.timestamp(), due));
            assert_eq!(worked, Some(i64::from(span.seconds)));
        }
    }

    #[test]
    fn round_the_clock_is_one_stretch_without_seams() {
        let always = calendar("Europe/Berlin", &ALL_DAYS, &["00:00-24:00"]);
        let (from, to) = (at("2026-03-20T00:00:00Z"), at("2026-11-20T00:00:00Z"));
        assert_eq!(always.timetable().worked(from, to), to - from);
        assert_eq!(always.timetable().stretches(from, to).count(), 1);
    }

    #[test]
    fn a_day_is_a_working_day_whenever_it_begins() {
        let berlin = calendar("Europe/Berlin", &WORKDAYS, &["08:00-12:00", "13:00-18:00"]);
        let table = berlin.timetable();
        let day = Span { days: 1, seconds: 0 };
        for begin in ["2026-11-20T11:30:00Z", "2026-11-21T10:00:00Z", "2026-11-20T09:00:00Z"] {
            assert_eq!(table.seconds_of(&berlin, at(begin), day), Some(9 * 3_600), "{begin}");
        }
    }

    #[test]
    fn work_in_the_hour_that_the_clock_skips_is_not_there() {
        let berlin = calendar("Europe/Berlin", &ALL_DAYS, &["02:00-03:00"]);
        let table = berlin.timetable();
        // 2026-03-29, the day of the change to summer time, and the one to winter time.
        let spring = table.worked(at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z"));
        let autumn = table.worked(at("2026-10-24T12:00:00Z"), at("2026-10-25T12:00:00Z"));
        assert_eq!((spring, autumn), (0, 7_200));
    }
}
