//! What there is to be seen of each definition.

use std::{collections::BTreeSet, fmt};

use crate::book::{Book, Edge, Process};

/// One thing to be seen; the texts are names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goal {
    /// A transition is taken from a state.
    Taken { process: String, state: String, name: String },
    /// Who has none of its roles is refused.
    Role { process: String, state: String, name: String },
    /// It is refused without evidence that must be given anew.
    Need { process: String, state: String, name: String, field: String },
    /// Its guard refuses.
    Guard { process: String, name: String },
    /// A control that keeps two things apart refuses.
    Control { process: String, name: String },
    /// Somebody is kept from voting.
    Excluded { process: String, name: String },
    /// An event opens a record.
    Opened { process: String, event: String },
}

impl Goal {
    pub fn taken(process: &str, state: &str, name: &str) -> Self {
        Self::Taken { process: process.into(), state: state.into(), name: name.into() }
    }

    pub fn role(process: &str, state: &str, name: &str) -> Self {
        Self::Role { process: process.into(), state: state.into(), name: name.into() }
    }

    /// What it is called where nothing else of the same name is meant.
    pub fn exactly(&self) -> Option<String> {
        match self {
            Self::Taken { state, name, .. }
            | Self::Role { state, name, .. }
            | Self::Need { state, name, .. } => Some(format!("{name} in {state}")),
            Self::Guard { name, .. } => Some(format!("guard of {name}")),
            _ => None,
        }
    }

    /// The process, and the transition, control or event.
    pub fn place(&self) -> (&str, &str) {
        match self {
            Self::Taken { process, name, .. }
            | Self::Role { process, name, .. }
            | Self::Need { process, name, .. }
            | Self::Guard { process, name }
            | Self::Control { process, name }
            | Self::Excluded { process, name } => (process, name),
            Self::Opened { process, event } => (process, event),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { process, state, name } => {
                write!(f, "{process}: {name} is taken in {state}")
            }
            Self::Role { process, state, name } => {
                write!(f, "{process}: {name} in {state} is refused to who lacks its roles")
            }
            Self::Need { process, state, name, field } => {
                write!(f, "{process}: {name} in {state} is refused for want of {field}")
            }
            Self::Guard { process, name } => write!(f, "{process}: {name} is refused by its guard"),
            Self::Control { process, name } => write!(f, "{process}: the control {name} refuses"),
            Self::Excluded { process, name } => {
                write!(f, "{process}: somebody may not vote on {name}")
            }
            Self::Opened { process, event } => write!(f, "{process}: {event} opens one"),
        }
    }
}

/// Everything that the definitions name.
pub fn all(book: &Book) -> BTreeSet<Goal> {
    book.processes.iter().flat_map(of_process).collect()
}

fn of_process(process: &Process) -> Vec<Goal> {
    let mut goals = Vec::new();
    let name = || process.name.clone();
    for edge in &process.edges {
        goals.extend(of_edge(process, edge));
        if !edge.people().is_empty() {
            goals.push(Goal::role(&process.name, &edge.state, &edge.name));
        }
    }
    for opens in process.outline["opens"].as_array().into_iter().flatten() {
        let event = opens["on"].as_str().unwrap_or_default().to_owned();
        goals.push(Goal::Opened { process: name(), event });
    }
    goals
}

/// What one edge is to show, beside who lacks its roles.
pub fn of_edge(process: &Process, edge: &Edge) -> Vec<Goal> {
    let (owner, name) = (|| process.name.clone(), || edge.name.clone());
    let mut goals = vec![Goal::taken(&process.name, &edge.state, &edge.name)];
    if edge.people().is_empty() {
        return goals;
    }
    for field in edge.needs.iter().filter(|need| process.is_read_only(need)) {
        if !edge.takers().is_empty() {
            let (state, field) = (edge.state.clone(), field.clone());
            goals.push(Goal::Need { process: owner(), state, name: name(), field });
        }
    }
    if !edge.text("when").is_empty() {
        goals.push(Goal::Guard { process: owner(), name: name() });
    }
    if edge.outline.get("vote").is_some_and(|vote| vote["except"].get(0).is_some()) {
        goals.push(Goal::Excluded { process: owner(), name: name() });
    }
    for (control, said) in process.outline["controls"].as_object().into_iter().flatten() {
        // Where a state cannot be reached otherwise at all, the lifecycle itself keeps `reach`.
        if said["never"]["transition"] == edge.name {
            goals.push(Goal::Control { process: owner(), name: control.clone() });
        }
    }
    goals
}
