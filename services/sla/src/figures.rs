//! Figures of a span of time: how many promises were kept, and how many were not.

use std::collections::BTreeMap;

use serde::Serialize;
use store::{Sum, Sums};

use crate::{
    agreements::Agreements,
    measure::Standing,
    totals::{Cell, Place},
};

/// How every figure is worked out.
pub const FORMULA: &str = "compliance = met / (met + breached) of what was due in the period; what is open and past its due time counts as breached, what was cancelled is excluded";

/// What was due, by how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub met: i64,
    pub breached: i64,
    /// Due in the span, but not yet.
    pub open: i64,
    /// Cancelled: nothing is owed any more.
    pub excluded: i64,
}

impl Figures {
    fn add(&mut self, standing: Standing, is_past: bool, count: i64) {
        match standing {
            Standing::Met => self.met += count,
            Standing::Breached => self.breached += count,
            // Paused, it is due only if a deadline was set by hand.
            Standing::Running | Standing::Paused if is_past => self.breached += count,
            Standing::Running | Standing::Paused => self.open += count,
            Standing::Cancelled => self.excluded += count,
            // Nobody knows when it is due.
            Standing::Waiting => {}
        }
    }

    /// Per cent, to a thousandth; none where nothing is judged yet.
    #[must_use]
    pub fn compliance(&self) -> Option<f64> {
        let judged = self.met + self.breached;
        #[expect(clippy::cast_precision_loss, reason = "clocks are counted in millions")]
        let share = |count: i64| count as f64 * 100.0 / judged as f64;
        (judged > 0).then(|| (share(self.met) * 1_000.0).round() / 1_000.0)
    }
}

/// Figures by place.
#[derive(Clone, Debug, Default)]
pub struct Table(pub BTreeMap<Place, Figures>);

impl Table {
    /// The figures at the moment at which the sums were read.
    #[must_use]
    pub fn now(sums: &Sums) -> Self {
        let mut table = Self::default();
        table.add(&sums.before, true);
        table.add(&sums.during, false);
        table.add(&sums.after, false);
        for cell in sums.overtaken.iter().filter_map(Cell::of) {
            let figures = table.0.entry(cell.place).or_default();
            figures.add(cell.standing, false, -1);
            figures.add(cell.standing, true, 1);
        }
        table
    }

    /// The figures of a span that was over when it was closed.
    #[must_use]
    pub fn closed(sums: &[Sum]) -> Self {
        let mut table = Self::default();
        table.add(sums, true);
        table
    }

    fn add(&mut self, sums: &[Sum], is_past: bool) {
        for (cell, count) in sums.iter().filter_map(Cell::read) {
            self.0.entry(cell.place).or_default().add(cell.standing, is_past, count);
        }
    }

    /// Adds up what differs only in the agreement, and in the priority unless it is kept apart.
    /// Beside each stands the agreement that came last.
    #[must_use]
    pub fn grouped(&self, keeps_priority: bool) -> BTreeMap<Place, (Figures, Option<String>)> {
        let mut groups: BTreeMap<Place, (Figures, Option<String>)> = BTreeMap::new();
        for (place, figures) in &self.0 {
            let priority = place.priority.filter(|_| keeps_priority);
            let group = Place { priority, agreement: None, ..place.clone() };
            let (sum, last) = groups.entry(group).or_default();
            sum.met += figures.met;
            sum.breached += figures.breached;
            sum.open += figures.open;
            sum.excluded += figures.excluded;
            *last = last.take().max(place.agreement.clone());
        }
        groups
    }
}

/// Per cent of the results that must be met, as an agreement says of a target.
#[must_use]
pub fn goal(agreements: &Agreements, number: Option<&str>, target: &str) -> Option<f64> {
    let agreement =
        agreements.0.iter().find(|agreement| Some(agreement.number.as_str()) == number)?;
    agreement.targets.iter().find(|known| known.name == target)?.goal
}
