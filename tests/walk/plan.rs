//! Ways of records through the world in memory, as a tree: each step with what it leads to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use engine::{Ballot, Command, TaskWish};
use kernel::{Actor, Refusal, Rule};
use serde_json::{Map, Value};

use crate::{
    book::Book,
    cast::Cast,
    goals::Goal,
    world::{Seen, Target, World},
};

/// What somebody does, or time.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    Open { process: String, data: Map<String, Value> },
    Take { transition: String, with: Map<String, Value> },
    Vote { transition: String },
    Amend { patch: Map<String, Value> },
    AddTask,
    FinishTask(u32),
    Wait,
}

/// A deed that was done, and what it made of its record.
#[derive(Clone, Debug)]
pub struct Step {
    pub actor: usize,
    pub number: String,
    pub deed: Deed,
    /// When it is done, and for a wait when it is over.
    pub at: DateTime<Utc>,
    pub state: String,
    /// What the deed itself changed.
    pub changes: BTreeMap<String, Value>,
    /// Records that were opened by it.
    pub opened: Vec<(String, String)>,
    /// Whether something follows that is not in its transaction.
    pub settles: bool,
    /// The events that it says.
    pub says: Vec<String>,
}

pub struct Node {
    pub world: World,
    pub parent: Option<usize>,
    pub step: Step,
}

/// A deed that is refused at a node.
#[derive(Clone, Debug)]
pub struct Probe {
    pub node: usize,
    pub actor: usize,
    pub number: String,
    pub deed: Deed,
    pub status: u16,
    pub code: String,
}

/// Where a goal is met.
#[derive(Clone, Copy, Debug)]
pub enum Evidence {
    Node(usize),
    Probe(usize),
}

/// What a deed came to.
pub enum Outcome {
    /// A step; the node is kept only if asked to.
    Done(Box<Node>, Vec<Seen>),
    Refused(Rule, String),
}

/// What all planning stands on.
pub struct Ground<'a> {
    pub book: &'a Book,
    pub cast: &'a Cast,
    pub began: DateTime<Utc>,
    /// What other tests show, and nobody looks for here.
    pub elsewhere: &'a BTreeSet<Goal>,
}

#[derive(Default)]
pub struct Tree {
    pub nodes: Vec<Node>,
    pub probes: Vec<Probe>,
    pub met: BTreeMap<Goal, Evidence>,
    /// What no definition should do.
    pub faults: Vec<String>,
    /// Why a step was refused last, for who reads what is left.
    pub last: BTreeMap<Goal, String>,
}

impl Tree {
    /// Does a deed in memory; what is refused is kept where it meets a goal.
    pub fn attempt(
        &mut self,
        ground: &Ground<'_>,
        from: Option<usize>,
        number: &str,
        actor: usize,
        deed: Deed,
    ) -> Outcome {
        let mut world =
            from.map_or_else(|| World::at(ground.began), |node| self.nodes[node].world.clone());
        let person = &ground.cast.persons[actor];
        if let (Some(from), Some(held)) = (from, world.held(number))
            && deed != Deed::Wait
            && !person.reader().sees(&held.record.audience)
        {
            // What somebody cannot see is not there, whatever else they may.
            let refusal = Refusal::one(Rule::Role, "", "role", "it is not there".to_owned());
            self.refused(ground, from, number, actor, &deed, &refusal);
            return Outcome::Refused(Rule::Role, "role".to_owned());
        }
        match perform(ground.book, &mut world, number, person, &deed) {
            Ok(seen) => {
                let number = match &deed {
                    Deed::Open { .. } => seen[0].number.clone(),
                    _ => number.to_owned(),
                };
                let own = seen.first().filter(|seen| seen.number == number);
                let state =
                    world.held(&number).map(|held| held.record.state.clone()).unwrap_or_default();
                let opened = seen.iter().filter(|seen| seen.opened_by.is_some());
                let step = Step {
                    actor,
                    deed,
                    at: world.now,
                    state,
                    changes: own.map(|own| own.changes.clone()).unwrap_or_default(),
                    opened: opened
                        .map(|seen| (seen.process.clone(), seen.number.clone()))
                        .collect(),
                    settles: seen.iter().any(|seen| seen.is_abroad),
                    says: seen
                        .iter()
                        .filter(|seen| seen.number == number)
                        .map(|seen| seen.kind.clone())
                        .collect(),
                    number,
                };
                Outcome::Done(Box::new(Node { world, parent: from, step }), seen)
            }
            Err(refusal) => {
                let code =
                    refusal.faults.first().map(|fault| fault.code.to_string()).unwrap_or_default();
                if let Some(from) = from {
                    self.refused(ground, from, number, actor, &deed, &refusal);
                }
                Outcome::Refused(refusal.rule, code)
            }
        }
    }

    /// Keeps a node; what was seen at its step meets goals.
    pub fn keep(&mut self, node: Node, seen: &[Seen]) -> usize {
        let place = self.nodes.len();
        for goal in seen.iter().flat_map(met_by) {
            self.met.entry(goal).or_insert(Evidence::Node(place));
        }
        self.nodes.push(node);
        place
    }

    /// Whether something would be seen for the first time.
    pub fn is_news(&self, seen: &[Seen]) -> bool {
        seen.iter().flat_map(met_by).any(|goal| !self.met.contains_key(&goal))
    }

    /// The nodes from the root to one.
    pub fn way(&self, node: usize) -> Vec<usize> {
        let mut way = vec![node];
        while let Some(parent) = self.nodes[way[way.len() - 1]].parent {
            way.push(parent);
        }
        way.reverse();
        way
    }

    fn refused(
        &mut self,
        ground: &Ground<'_>,
        node: usize,
        number: &str,
        actor: usize,
        deed: &Deed,
        refusal: &Refusal,
    ) {
        let Some(held) = self.nodes[node].world.held(number) else { return };
        let (Deed::Take { transition: name, .. } | Deed::Vote { transition: name }) = deed else {
            return;
        };
        let (process, state) = (held.record.process.clone(), held.record.state.clone());
        let mut goals = Vec::new();
        for fault in &refusal.faults {
            match fault.code.as_ref() {
                "role" => goals.push(Goal::role(&process, &state, name)),
                "excluded" => {
                    goals.push(Goal::Excluded { process: process.clone(), name: name.clone() })
                }
                // A guard that cannot tell is a fault of the definition.
                "guard" if fault.message.contains("could not be worked out") => {
                    self.faults.push(format!("{process}: {name} in {state}: {}", fault.message));
                }
                "guard" => goals.push(Goal::Guard { process: process.clone(), name: name.clone() }),
                "required" => goals.push(Goal::Need {
                    process: process.clone(),
                    state: state.clone(),
                    name: name.clone(),
                    field: fault.path.trim_start_matches('/').to_owned(),
                }),
                "control" => {
                    let known = ground.book.process(&process).expect("it is known");
                    let named = known.outline["controls"].as_object().into_iter().flatten();
                    let named = named
                        .filter(|(control, _)| fault.message.contains(&format!("{control}: ")));
                    goals.extend(named.map(|(control, _)| Goal::Control {
                        process: process.clone(),
                        name: control.clone(),
                    }));
                }
                "definition" => {
                    self.faults.push(format!("{process}: {name} in {state}: {}", fault.message))
                }
                _ => {}
            }
        }
        let why = refusal.faults.iter().map(|fault| format!("{} {}", fault.path, fault.message));
        self.last.insert(Goal::taken(&process, &state, name), why.collect::<Vec<_>>().join("; "));
        goals.retain(|goal| !self.met.contains_key(goal));
        if goals.is_empty() {
            return;
        }
        let person = &ground.cast.persons[actor];
        let status = match refusal.rule {
            // What somebody cannot see is not there.
            _ if !person.reader().sees(&held.record.audience) => 404,
            Rule::Invalid => 422,
            Rule::Role => 403,
            Rule::State | Rule::Guard => 409,
        };
        let code = refusal.faults[0].code.to_string();
        let place = self.probes.len();
        let (number, deed) = (number.to_owned(), deed.clone());
        self.probes.push(Probe { node, actor, number, deed, status, code });
        self.met.extend(goals.into_iter().map(|goal| (goal, Evidence::Probe(place))));
    }
}

impl Deed {
    /// For who reads a fault.
    pub fn name(&self) -> String {
        match self {
            Self::Open { process, .. } => format!("open {process}"),
            Self::Take { transition, .. } => transition.clone(),
            Self::Vote { transition } => format!("vote {transition}"),
            Self::Amend { .. } => "amend".to_owned(),
            Self::AddTask => "add a task".to_owned(),
            Self::FinishTask(_) => "finish a task".to_owned(),
            Self::Wait => "wait".to_owned(),
        }
    }

    /// All that is given with it.
    pub fn text(&self) -> String {
        match self {
            Self::Open { data: fields, .. }
            | Self::Take { with: fields, .. }
            | Self::Amend { patch: fields } => Value::Object(fields.clone()).to_string(),
            _ => String::new(),
        }
    }

    /// The same deed where records have other numbers.
    pub fn renumbered(&self, numbers: &BTreeMap<String, String>) -> Self {
        let fields =
            |fields: &Map<String, Value>| match renumbered(&Value::Object(fields.clone()), numbers)
            {
                Value::Object(fields) => fields,
                _ => Map::new(),
            };
        match self {
            Self::Open { process, data } => {
                Self::Open { process: process.clone(), data: fields(data) }
            }
            Self::Take { transition, with } => {
                Self::Take { transition: transition.clone(), with: fields(with) }
            }
            Self::Amend { patch } => Self::Amend { patch: fields(patch) },
            other => other.clone(),
        }
    }
}

/// A value in which records have other numbers.
pub fn renumbered(value: &Value, numbers: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => {
            let mut text = text.clone();
            for (old, new) in numbers
                .iter()
                .filter(|(old, _)| value.as_str().is_some_and(|text| text.contains(*old)))
            {
                text = text.replace(old, new);
            }
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(|item| renumbered(item, numbers)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(name, value)| (name.clone(), renumbered(value, numbers))).collect(),
        ),
        other => other.clone(),
    }
}

fn met_by(seen: &Seen) -> impl Iterator<Item = Goal> + use<'_> {
    let taken = seen.from.as_ref().zip(seen.transition.as_ref());
    let taken = taken.map(|(state, name)| Goal::taken(&seen.process, state, name));
    let opened = seen.opened_by.as_ref();
    let opened =
        opened.map(|event| Goal::Opened { process: seen.process.clone(), event: event.clone() });
    taken.into_iter().chain(opened)
}

fn perform(
    book: &Book,
    world: &mut World,
    number: &str,
    actor: &Arc<Actor>,
    deed: &Deed,
) -> Result<Vec<Seen>, Refusal> {
    let command = match deed {
        Deed::Open { process, data } => {
            return world.command(
                book,
                Target::New(process),
                &Command::Open { data: data.clone() },
                actor,
            );
        }
        Deed::Wait => {
            let until = world.next_due(number).unwrap_or(world.now + chrono::TimeDelta::days(32));
            return Ok(world.wait(book, until));
        }
        Deed::Take { transition, with } => {
            Command::Take { transition: transition.clone(), with: with.clone() }
        }
        Deed::Vote { transition } => {
            Command::Vote { transition: transition.clone(), ballot: Ballot::Approve, comment: None }
        }
        Deed::Amend { patch } => Command::Amend { patch: patch.clone() },
        Deed::AddTask => Command::Task {
            wish: TaskWish::Add { title: "Do it".to_owned(), assignee: None, after: Vec::new() },
        },
        Deed::FinishTask(id) => Command::Task { wish: TaskWish::Done { id: *id } },
    };
    world.command(book, Target::Record(number), &command, actor)
}
