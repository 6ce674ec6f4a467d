//! The hours that count: all of them, or those of a calendar.

use kernel::{Calendar, Span};

#[derive(Clone, Copy, Debug)]
pub(super) enum Hours<'a> {
    RoundTheClock,
    Of(&'a Calendar),
}

impl<'a> Hours<'a> {
    pub fn of(calendar: Option<&'a Calendar>) -> Self {
        calendar.map_or(Self::RoundTheClock, Self::Of)
    }

    pub fn worked(self, from: i64, to: i64) -> i64 {
        match self {
            Self::RoundTheClock => (to - from).max(0),
            Self::Of(calendar) => calendar.timetable().worked(from, to),
        }
    }

    pub fn reached(self, from: i64, seconds: i64) -> Option<i64> {
        match self {
            Self::RoundTheClock => Some(from + seconds.max(0)),
            Self::Of(calendar) => calendar.timetable().reached(from, seconds),
        }
    }

    /// Without a calendar a day has 24 hours.
    pub fn seconds_of(self, from: i64, span: Span) -> Option<i64> {
        match self {
            Self::RoundTheClock => Some(i64::from(span.days) * 86_400 + i64::from(span.seconds)),
            Self::Of(calendar) => calendar.timetable().seconds_of(calendar, from, span),
        }
    }

    pub fn stretches(self, from: i64, to: i64) -> Vec<(i64, i64)> {
        match self {
            Self::RoundTheClock => vec![(from, to)],
            Self::Of(calendar) => calendar.timetable().stretches(from, to).collect(),
        }
    }
}
