//! What the walk leaves to other tests, each with its reason: `elsewhere.toml`.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::goals::Goal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    elsewhere: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    process: String,
    /// Transitions, controls or events; or exactly `review in active` or `guard of review`. All of the
    /// process where nothing is named.
    #[serde(default)]
    what: Vec<String>,
    because: String,
    /// The file of the test that shows it; none where only a service that is late leads there, or the walk
    /// shows the same transition in other states.
    proven_by: Option<String>,
}

impl Entry {
    fn covers(&self, goal: &Goal) -> bool {
        self.process == goal.place().0 && (self.what.is_empty() || self.names(goal).is_some())
    }

    /// The word that means a goal.
    fn names(&self, goal: &Goal) -> Option<&String> {
        let (_, name) = goal.place();
        let exactly = goal.exactly();
        self.what.iter().find(|what| *what == name || Some(*what) == exactly.as_ref())
    }
}

impl Elsewhere {
    pub fn read() -> Self {
        toml::from_str(include_str!("elsewhere.toml")).expect("a sound list")
    }

    /// Those of all goals that are shown elsewhere.
    pub fn goals(&self, all: &BTreeSet<Goal>) -> BTreeSet<Goal> {
        let is_covered = |goal: &&Goal| self.elsewhere.iter().any(|entry| entry.covers(goal));
        all.iter().filter(is_covered).cloned().collect()
    }

    /// The lines without a reason, without their test, or about what is not left by the walk.
    pub fn faults(&self, left: &BTreeSet<Goal>) -> Vec<String> {
        let mut faults = Vec::new();
        for entry in &self.elsewhere {
            let tests = acceptance::repository().join("tests");
            let is_there = entry.proven_by.as_ref().is_none_or(|file| tests.join(file).is_file());
            if entry.because.is_empty() || !is_there {
                faults.push(format!("{}: no reason, or not that test", entry.process));
            }
            let named: BTreeSet<_> = left
                .iter()
                .filter(|goal| entry.covers(goal))
                .filter_map(|goal| entry.names(goal))
                .collect();
            for what in entry.what.iter().filter(|what| !named.contains(what)) {
                faults.push(format!("{}: {what} is shown by the walk itself", entry.process));
            }
        }
        faults
    }
}
