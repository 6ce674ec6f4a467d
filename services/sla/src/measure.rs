//! The clock itself: a pure function of moments, terms, calendar, zone data and the instant asked for.
//!
//! ```text
//! measure(case, calendars, as_of) -> phases -> standing, elapsed, due, warnings, segments
//! ```
//!
//! All instants are whole seconds since 1970.

mod hours;
mod phases;

use engine::Schemes;
use serde::{Deserialize, Serialize};

pub use self::phases::{Phase, What};
use self::{hours::Hours, phases::phases};
use crate::{
    case::{Case, Moment},
    terms::{Limit, Terms},
};

/// Where a clock stands (catalogue section 3.1). A breach does not stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has not started, or no limit fits the record yet.
    Waiting,
    Running,
    Paused,
    Met,
    Breached,
    Cancelled,
}

/// The limit that counts now, and its length in seconds of its hours.
#[derive(Clone, Debug)]
pub struct Allowed<'a> {
    pub limit: &'a Limit,
    pub seconds: i64,
}

/// A clock, worked out for one instant.
#[derive(Debug)]
pub struct Measure<'a> {
    pub as_of: i64,
    /// What applies to the record as it is; none where no agreement does.
    pub terms: Option<&'a Terms>,
    /// The record as it is.
    pub last: Option<&'a Moment>,
    pub allowed: Option<Allowed<'a>>,
    pub phases: Vec<Phase<'a>>,
    /// Set by hand, in seconds.
    pub deadline: Option<i64>,
    hours: Hours<'a>,
}

/// Works a clock out. The limit is that of the record as it is, from the original start: an earlier
/// priority or agreement gives no credit, and takes no pause away.
///
/// # Errors
/// A sentence, when a calendar that the terms pin is not at hand or ends before the limit does.
pub fn measure<'a>(
    case: &'a Case,
    schemes: &'a Schemes,
    as_of: i64,
) -> Result<Measure<'a>, String> {
    let told = case.told(as_of);
    let last = told.last().map(|(_, moment)| *moment);
    let terms = case.terms_after(&told);
    // What is cancelled because no agreement applies any more is still told in the words of the last.
    let spoken = terms.or(case.terms.last());
    let phases = match spoken {
        Some(spoken) => phases(case, &spoken.target, &told, as_of),
        None => Vec::new(),
    };
    let deadline = case.deadline.map(|deadline| deadline.timestamp());
    let hours = Hours::RoundTheClock;
    let mut measure = Measure { as_of, terms, last, allowed: None, phases, deadline, hours };
    let limit = terms.zip(last).and_then(|(terms, last)| {
        let limit = terms.target.limits.iter().find(|limit| limit.when.holds(&last.fields));
        limit.map(|limit| (terms, limit))
    });
    if let (Some((terms, limit)), Some(start)) = (limit, measure.started_at()) {
        measure.hours = Hours::of(terms.calendar(limit, schemes)?);
        let seconds = match deadline {
            Some(deadline) => Some(measure.hours.worked(start, deadline)),
            None => measure.hours.seconds_of(start, limit.within),
        };
        let seconds = seconds.ok_or("the calendar ends before the limit does")?;
        measure.allowed = Some(Allowed { limit, seconds });
    }
    Ok(measure)
}

impl Measure<'_> {
    #[must_use]
    pub fn started_at(&self) -> Option<i64> {
        self.phases.first().map(|phase| phase.from)
    }

    /// When it stopped, unless it goes on.
    #[must_use]
    pub fn stopped_at(&self) -> Option<i64> {
        let last = self.phases.last()?;
        let has_stopped = matches!(last.what, What::Stopped | What::Cancelled);
        has_stopped.then_some(last.from)
    }

    fn running(&self) -> impl Iterator<Item = &Phase<'_>> {
        self.phases.iter().filter(|phase| phase.what == What::Running)
    }

    fn is_running(&self) -> bool {
        self.phases.last().is_some_and(|phase| phase.what == What::Running)
    }

    /// Seconds used of the limit; none while no limit fits.
    #[must_use]
    pub fn elapsed(&self) -> i64 {
        if self.allowed.is_none() {
            return 0;
        }
        self.running().map(|phase| self.hours.worked(phase.from, phase.to)).sum()
    }

    /// When so many seconds were used, or will be if nothing happens; and the place among the phases.
    /// Towards a deadline that was set by hand time is used up whatever happens.
    fn crossing(&self, seconds: i64) -> Option<(i64, usize)> {
        if let Some(deadline) = self.deadline {
            let is_all = self.allowed.as_ref().is_some_and(|allowed| allowed.seconds == seconds);
            let at =
                if is_all { deadline } else { self.hours.reached(self.started_at()?, seconds)? };
            let place = self.phases.iter().rposition(|phase| phase.from <= at).unwrap_or(0);
            return Some((at, place));
        }
        let mut left = seconds;
        for (place, phase) in self.phases.iter().enumerate() {
            if phase.what != What::Running {
                continue;
            }
            let worked = self.hours.worked(phase.from, phase.to);
            let goes_on = place + 1 == self.phases.len();
            if worked >= left || goes_on {
                return Some((self.hours.reached(phase.from, left)?, place));
            }
            left -= worked;
        }
        None
    }

    /// When the limit is used up, or would have been had it not stopped; unknown while it is paused
    /// or waits.
    #[must_use]
    pub fn due_at(&self) -> Option<i64> {
        let allowed = self.allowed.as_ref()?.seconds;
        if let Some((due, _)) = self.crossing(allowed) {
            return Some(due);
        }
        self.hours.reached(self.stopped_at()?, allowed - self.elapsed())
    }

    /// When the limit was passed. What stops at the very instant at which it is due is in time.
    #[must_use]
    pub fn breached_at(&self) -> Option<i64> {
        let (due, place) = self.crossing(self.allowed.as_ref()?.seconds)?;
        let phase = self.phases.get(place)?;
        let goes_on = place + 1 == self.phases.len();
        let is_owed = !matches!(phase.what, What::Stopped | What::Cancelled);
        if is_owed && (due < phase.to || (goes_on && due == phase.to)) {
            return Some(due);
        }
        // Stopped or paused at the last second, and then it went on.
        let later = self.phases.iter().skip(place + 1);
        later.filter(|phase| phase.what == What::Running).map(|phase| phase.from).next()
    }

    #[must_use]
    pub fn standing(&self) -> Standing {
        let last = self.phases.last().map(|phase| phase.what);
        match last {
            Some(What::Cancelled) => Standing::Cancelled,
            _ if self.terms.is_none() && self.last.is_some() => Standing::Cancelled,
            None => Standing::Waiting,
            _ if self.allowed.is_none() => Standing::Waiting,
            _ if self.breached_at().is_some() => Standing::Breached,
            Some(What::Stopped) => Standing::Met,
            Some(What::Paused) => Standing::Paused,
            Some(What::Running) => Standing::Running,
        }
    }

    /// The warnings of the target, each with the instant at which so much is used.
    fn warnings(&self) -> impl Iterator<Item = (i64, i64)> {
        let levels = self.terms.into_iter().flat_map(|terms| &terms.target.warn_at);
        levels.filter_map(|level| {
            let allowed = self.allowed.as_ref()?.seconds;
            Some((*level, self.crossing(allowed * level / 100)?.0))
        })
    }

    /// The highest warning that is reached, 0 for none.
    #[must_use]
    pub fn reached(&self) -> i64 {
        let reached = self.warnings().filter(|(_, at)| *at <= self.as_of);
        reached.map(|(level, _)| level).max().unwrap_or(0)
    }

    /// When the next warning is to be given, to somebody who has had that of `warned`: of several
    /// that are reached already, one, a second from now. Hence never at an instant that is past: a
    /// timer that has fired is known by its instant, and does not fire again.
    #[must_use]
    pub fn warns_at(&self, warned: i64) -> Option<i64> {
        if !self.is_running() || self.breached_at().is_some() {
            return None;
        }
        let ahead: Vec<_> = self.warnings().filter(|(level, _)| *level > warned).collect();
        if ahead.iter().any(|(_, at)| *at <= self.as_of) {
            return Some(self.as_of + 1);
        }
        ahead.first().map(|(_, at)| *at)
    }

    /// The work of the limit's hours between two instants.
    pub(crate) fn stretches(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        self.hours.stretches(from, to)
    }
}
