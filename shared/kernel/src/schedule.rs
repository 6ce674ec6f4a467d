//! When something that comes back is due: in months and days of a calendar, from a date on.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::{
    Calendar,
    calendar::{instant_in, seconds_of},
};

/// `P1Y`, `P3M`, `P2W`: how often something comes back. A month is as long as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub months: u32,
    pub days: u32,
}

/// Nothing is planned further ahead, in months.
const MONTHS_LIMIT: u32 = 12 * 100;
/// The like in days.
const DAYS_LIMIT: u32 = 366 * 100;

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || {
            format!(
                "`{text}` is no interval of whole days or longer, such as `P1Y`, `P3M` or `P2W`"
            )
        };
        let mut rest = text.strip_prefix('P').ok_or_else(fault)?;
        let mut interval = Self { months: 0, days: 0 };
        for (unit, months, days) in [('Y', 12, 0), ('M', 1, 0), ('W', 0, 7), ('D', 0, 1)] {
            let Some((amount, after)) = rest.split_once(unit) else { continue };
            let is_number = !amount.is_empty() && amount.bytes().all(|byte| byte.is_ascii_digit());
            let amount: u32 = amount.parse().ok().filter(|_| is_number).ok_or_else(fault)?;
            interval.months = interval.months.saturating_add(amount.saturating_mul(months));
            interval.days = interval.days.saturating_add(amount.saturating_mul(days));
            rest = after;
        }
        let is_bounded = interval.months <= MONTHS_LIMIT && interval.days <= DAYS_LIMIT;
        let is_long = interval.months > 0 || interval.days > 0;
        if rest.is_empty() && is_bounded && is_long { Ok(interval) } else { Err(fault()) }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        for (amount, unit) in [(self.months / 12, 'Y'), (self.months % 12, 'M'), (self.days, 'D')] {
            if amount > 0 {
                write!(f, "{amount}{unit}")?;
            }
        }
        Ok(())
    }
}

impl Interval {
    /// The shortest that it ever is, in days.
    #[must_use]
    pub fn least_days(self) -> u32 {
        self.months * 28 + self.days
    }
}

/// An interval that is counted from a date on, always from the first, so that what began on the 31st
/// is due on the last day of a short month and on the 31st again.
#[derive(Clone, Copy, Debug)]
pub struct Schedule<'a> {
    every: Interval,
    from: NaiveDate,
    /// Seconds after midnight; a date alone lasts until its end.
    second: u32,
    zone: Tz,
    calendar: Option<&'a Calendar>,
}

impl<'a> Schedule<'a> {
    /// Counts from `from`, an instant or a date, in the zone of the calendar, UTC without one. With a
    /// calendar, what would be due on a date without work is due on the next one with some.
    ///
    /// # Errors
    /// A sentence, when `from` is neither.
    pub fn new(
        every: Interval,
        from: &str,
        calendar: Option<&'a Calendar>,
    ) -> Result<Self, String> {
        let zone = calendar.map_or(Tz::UTC, Calendar::zone);
        let (from, second) = match (from.parse::<DateTime<Utc>>(), from.parse::<NaiveDate>()) {
            (Ok(instant), _) => {
                let local = instant.with_timezone(&zone);
                (local.date_naive(), seconds_of(local.time()))
            }
            (_, Ok(date)) => (date, 86_400),
            _ => return Err(format!("`{from}` is neither an instant nor a date")),
        };
        Ok(Self { every, from, second, zone, calendar })
    }

    /// The first time that it is due after an instant; none beyond what calendars reach.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let passed = after.with_timezone(&self.zone).date_naive() - self.from;
        let longest = i64::from(self.every.months) * 31 + i64::from(self.every.days);
        // No interval is longer: as many have passed at least.
        let first = (passed.num_days() / longest.max(1) - 1).max(1);
        let mut count = u32::try_from(first).ok()?;
        loop {
            let due = self.due(count)?;
            if due > after {
                return Some(due);
            }
            count = count.checked_add(1)?;
        }
    }

    fn due(&self, count: u32) -> Option<DateTime<Utc>> {
        let months = Months::new(self.every.months.checked_mul(count)?);
        let days = Days::new(u64::from(self.every.days) * u64::from(count));
        let date = self.from.checked_add_months(months)?.checked_add_days(days)?;
        let date = match self.calendar {
            Some(calendar) => calendar.nth_working_date(date.pred_opt()?, 1)?,
            None => date,
        };
        Some(instant_in(self.zone, date, self.second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CalendarSource;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    fn berlin() -> Calendar {
        let week = ["mon", "tue", "wed", "thu", "fri"]
            .map(|day| (day.to_owned(), vec!["08:00-18:00".to_owned()]));
        let zone = "Europe/Berlin".to_owned();
        let source = CalendarSource { zone, week: week.into(), holidays: Default::default() };
        source.try_into().unwrap_or_else(|faults: Vec<String>| panic!("{faults:?}"))
    }

    fn check(every: &str, from: &str, after: &str, expected: &str) {
        let every = every.parse().unwrap_or_else(|fault| panic!("{fault}"));
        let calendar = berlin();
        for calendar in [None, Some(&calendar)] {
            let schedule = Schedule::new(every, from, calendar);
            let next = schedule.unwrap_or_else(|fault| panic!("{fault}")).next(at(after));
            let expected = match (calendar, expected.split_once(' ')) {
                (None, Some((elapsed, _))) => elapsed,
                (Some(_), Some((_, worked))) => worked,
                (_, None) => expected,
            };
            assert_eq!(next, Some(at(expected)), "{every} from {from} after {after}");
        }
    }

    #[test]
    fn a_month_ends_when_it_ends() {
        let from = "2026-01-31T10:00:00Z";
        check("P1M", from, from, "2026-02-28T10:00:00Z 2026-03-02T10:00:00Z");
        check("P1M", from, "2026-03-02T10:00:00Z", "2026-03-31T10:00:00Z 2026-03-31T09:00:00Z");
        check("P1Y", "2024-02-29T10:00:00Z", "2024-03-01T00:00:00Z", "2025-02-28T10:00:00Z");
    }

    #[test]
    fn what_was_missed_is_due_once() {
        check(
            "P1M",
            "2026-01-05T10:00:00Z",
            "2028-07-06T10:00:00Z",
            "2028-08-05T10:00:00Z 2028-08-07T09:00:00Z",
        );
        check(
            "P1D",
            "2026-01-05T10:00:00Z",
            "2026-06-12T10:00:00Z",
            "2026-06-13T10:00:00Z 2026-06-15T09:00:00Z",
        );
        // What begins later is first due after it has begun.
        check("P1Y", "2027-02-01T10:00:00Z", "2026-02-01T10:00:00Z", "2028-02-01T10:00:00Z");
    }

    #[test]
    fn a_date_lasts_until_its_end() {
        check(
            "P3M",
            "2026-01-15",
            "2026-01-15T12:00:00Z",
            "2026-04-16T00:00:00Z 2026-04-15T22:00:00Z",
        );
    }

    #[test]
    fn intervals_are_whole_days_and_bounded() {
        for text in
            ["", "P", "PT4H", "P0D", "P1DT1H", "P-1M", "P1.5Y", "1Y", "P1M1Y", "P200Y", "P+1D"]
        {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
        for (text, told) in [("P1Y6M", "P1Y6M"), ("P2W", "P14D"), ("P18M", "P1Y6M")] {
            assert_eq!(text.parse::<Interval>().map(|read| read.to_string()), Ok(told.to_owned()));
        }
        assert!(Schedule::new(Interval { months: 1, days: 0 }, "soon", None).is_err());
    }
}
