//! What a clock does from one moment to the next.

use crate::{
    case::{Case, Moment},
    terms::{Condition, Target},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Running,
    Paused,
    Stopped,
    Cancelled,
}

/// A part of the line of time; each begins where the one before it ends.
#[derive(Clone, Debug)]
pub struct Phase<'a> {
    pub from: i64,
    pub to: i64,
    pub what: What,
    /// The moment that began it.
    pub by: &'a Moment,
    /// What holds of that moment; none where the clock just runs, or no agreement applies.
    pub because: Option<&'a Condition>,
}

fn first<'a>(conditions: &'a [Condition], moment: &Moment) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.holds(&moment.fields))
}

/// Whether a clock starts here: where the target says, else where the record is opened.
fn starts(target: &Target, moment: &Moment) -> bool {
    if target.starts.is_empty() {
        return moment.fields.get("event").is_some_and(|event| event == "opened");
    }
    first(&target.starts, moment).is_some()
}

type Turn<'a> = (What, Option<&'a Condition>);

/// What a clock that is not stopped does at a moment.
fn goes<'a>(target: &'a Target, moment: &Moment) -> Turn<'a> {
    if let Some(because) = first(&target.stops, moment) {
        return (What::Stopped, Some(because));
    }
    match first(&target.pauses, moment) {
        Some(because) => (What::Paused, Some(because)),
        None => (What::Running, None),
    }
}

/// The phases from the start up to `as_of`, without a gap; none before it starts.
pub(super) fn phases<'a>(
    case: &'a Case,
    target: &'a Target,
    told: &[(i64, &'a Moment)],
    as_of: i64,
) -> Vec<Phase<'a>> {
    let mut phases: Vec<Phase<'a>> = Vec::new();
    // What was done before an agreement applied is judged by it all the same: nobody waited less.
    let is_promised = case.terms_after(told).is_some();
    // What it would do if it were not cancelled.
    let mut under: Option<Turn<'a>> = None;
    for (place, &(at, by)) in told.iter().enumerate() {
        let turn = match under {
            _ if first(&target.restarts, by).is_some() => {
                phases.clear();
                (What::Running, None)
            }
            None if starts(target, by) => goes(target, by),
            None => continue,
            Some((What::Stopped, because)) => match first(&target.reopens, by) {
                Some(_) => match goes(target, by) {
                    (What::Stopped, _) => (What::Running, None),
                    turn => turn,
                },
                None => (What::Stopped, because),
            },
            Some(_) => goes(target, by),
        };
        under = Some(turn);
        let (what, because) = match first(&target.cancels, by) {
            Some(because) => (What::Cancelled, Some(because)),
            None if !is_promised && case.terms_after(&told[..=place]).is_none() => {
                (What::Cancelled, None)
            }
            None => turn,
        };
        match phases.last_mut() {
            Some(last) if last.what == what && last.because == because => continue,
            Some(last) => last.to = at,
            None => {}
        }
        phases.push(Phase { from: at, to: as_of, what, by, because });
    }
    phases
}
