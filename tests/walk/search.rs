//! The search over what people and time may do with one record, as far as it shows something new: breadth
//! first, or nearest first where it has somewhere to go.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use engine::Record;
use kernel::Rule;
use serde_json::{Map, Value, json};

use crate::{
    book::{Edge, Process},
    goals::Goal,
    guess::{candidates, sample},
    plan::{Deed, Ground, Outcome, Tree},
    world::Seen,
};

/// Records that are looked at alike in one state.
const ALIKE: usize = 24;
/// Bodies that are tried at one edge, and ways to open a record.
const BODIES: usize = 14;
const OPENINGS: usize = 96;
/// Records that a field may mean.
const NUMBERS: usize = 3;
/// As many fields are tried two at a time.
const PAIRED: usize = 3;

/// How a record is walked.
#[derive(Clone, Copy)]
pub struct Manner {
    /// One person is whoever a record names.
    pub is_one: bool,
    /// That person does all that they may.
    pub is_busy: bool,
    /// Nodes that may be added.
    pub budget: usize,
}

/// One exploration of one record.
pub struct Search<'a, 'g> {
    ground: &'a Ground<'g>,
    tree: &'a mut Tree,
    process: &'g Process,
    manner: Manner,
    /// The fields whose values are tried and told apart.
    asked: BTreeSet<String>,
    /// What is looked at next: how far it has to go, when it was found, the node, and the record.
    waiting: BTreeSet<(usize, usize, usize, String)>,
    found: usize,
    /// How far it is from each state to where it goes; nothing where it goes nowhere.
    distances: BTreeMap<String, usize>,
    known: BTreeSet<String>,
    alike: BTreeMap<String, usize>,
    began: usize,
}

impl<'a, 'g> Search<'a, 'g> {
    pub fn new(
        ground: &'a Ground<'g>,
        tree: &'a mut Tree,
        process: &'g Process,
        manner: Manner,
    ) -> Self {
        let began = tree.nodes.len();
        Self {
            ground,
            tree,
            process,
            manner,
            asked: process.asked.clone(),
            waiting: BTreeSet::new(),
            found: 0,
            distances: BTreeMap::new(),
            known: BTreeSet::new(),
            alike: BTreeMap::new(),
            began,
        }
    }

    /// Tries and tells apart only what some edges ask for.
    pub fn only_for<'e>(mut self, edges: impl Iterator<Item = &'e Edge>) -> Self {
        let asks = edges.map(Edge::asks).collect::<Vec<_>>();
        self.asked = self.process.fields_of(&asks.join(" "));
        self
    }

    /// Goes to some states, by the nearest that it has found.
    pub fn towards(mut self, states: BTreeSet<String>) -> Self {
        self.distances = self.process.distances(states);
        self
    }

    /// From all the ways in which a record may be opened, in the world of a node or a new one.
    pub fn with_openings(&mut self, within: Option<usize>, fixed: &Map<String, Value>) {
        let now = within.map_or(self.ground.began, |node| self.tree.nodes[node].world.now);
        for data in self.openings(now, fixed) {
            let openers = self.process.openers();
            for actor in
                self.order(self.ground.cast.candidates(self.process, &openers, &json!(data)))
            {
                let deed = Deed::Open { process: self.process.name.clone(), data: data.clone() };
                match self.tree.attempt(self.ground, within, "", actor, deed) {
                    Outcome::Done(node, seen) => {
                        self.offer(*node, &seen);
                        break;
                    }
                    Outcome::Refused(Rule::Role, _) => {}
                    Outcome::Refused(..) => break,
                }
            }
        }
    }

    /// From a record that is there.
    pub fn with_record(&mut self, node: usize, number: &str) {
        self.wait(node, number.to_owned());
    }

    /// Explores until nothing is new, the budget is used, or a goal is met.
    pub fn run(&mut self, until: Option<&Goal>) -> bool {
        let is_met = |tree: &Tree| until.is_some_and(|goal| tree.met.contains_key(goal));
        while let Some((_, _, node, number)) = self.waiting.pop_first() {
            if is_met(self.tree) || self.tree.nodes.len() - self.began > self.manner.budget {
                break;
            }
            self.look(node, &number);
        }
        is_met(self.tree)
    }

    /// Keeps a node that shows something new, or leads to where nobody was.
    fn offer(&mut self, node: crate::plan::Node, seen: &[Seen]) -> bool {
        let is_news = self.tree.is_news(seen);
        let number = node.step.number.clone();
        let Some(held) = node.world.held(&number) else { return false };
        let signature = self.signature(&held.record, node.world.now);
        let alike = self.alike.entry(held.record.state.clone()).or_default();
        let most = if self.distances.is_empty() { ALIKE } else { OPENINGS };
        let is_fresh = *alike < most && self.known.insert(signature);
        if !is_news && !is_fresh {
            return false;
        }
        *alike += 1;
        let place = self.tree.keep(node, seen);
        self.wait(place, number);
        true
    }

    /// What leads nowhere is looked at last.
    fn wait(&mut self, node: usize, number: String) {
        let Some(held) = self.tree.nodes[node].world.held(&number) else { return };
        let far = if self.distances.is_empty() { 0 } else { usize::MAX };
        let distance = self.distances.get(&held.record.state).copied().unwrap_or(far);
        self.found += 1;
        self.waiting.insert((distance, self.found, node, number));
    }

    /// Everything that may be done with a record where it stands.
    fn look(&mut self, node: usize, number: &str) {
        let Some(held) = self.tree.nodes[node].world.held(number) else { return };
        let record = held.record.clone();
        let process = self.process;
        for edge in process.edges_of(&record.state) {
            if edge.people().is_empty() {
                continue;
            }
            let role = Goal::role(&process.name, &edge.state, &edge.name);
            if !self.tree.met.contains_key(&role) {
                let outsider = self.ground.cast.outsider(process, edge);
                let deed = self.deeds(node, edge, &record).remove(0);
                self.tree.attempt(self.ground, Some(node), number, outsider, deed);
            }
            if !edge.voters().is_empty() {
                self.vote(node, number, edge, &record);
            }
            if !edge.takers().is_empty() {
                self.take(node, number, edge, &record);
            }
        }
        self.tasks(node, number, &record);
        let world = &self.tree.nodes[node].world;
        let asks_time =
            |edge: &Edge| ["now", "entered_at"].iter().any(|word| edge.text("when").contains(word));
        if world.next_due(number).is_some() || process.edges_of(&record.state).any(asks_time) {
            self.step(node, number, 0, Deed::Wait);
        }
    }

    fn vote(&mut self, node: usize, number: &str, edge: &Edge, record: &Record) {
        let voters = self.ground.cast.candidates(self.process, &edge.voters(), &json!(record.data));
        // The first vote that counts goes on; the others may show who is kept from it.
        let mut is_voted = false;
        for actor in self.order(voters) {
            let deed = Deed::Vote { transition: edge.name.clone() };
            let outcome = self.tree.attempt(self.ground, Some(node), number, actor, deed);
            if let (Outcome::Done(next, seen), false) = (outcome, is_voted) {
                is_voted = true;
                self.offer(*next, &seen);
            }
        }
    }

    fn take(&mut self, node: usize, number: &str, edge: &Edge, record: &Record) {
        let takers = self.ground.cast.candidates(self.process, &edge.takers(), &json!(record.data));
        let takers = self.order(takers);
        for deed in self.deeds(node, edge, record) {
            for actor in &takers {
                match self.tree.attempt(self.ground, Some(node), number, *actor, deed.clone()) {
                    Outcome::Done(next, seen) => {
                        self.without_needs(node, number, *actor, edge, &deed);
                        self.offer(*next, &seen);
                        break;
                    }
                    Outcome::Refused(Rule::Role, _) => {}
                    Outcome::Refused(_, code) if code == "control" => {}
                    Outcome::Refused(..) => break,
                }
            }
        }
    }

    /// What would have been granted, without each of its evidence.
    fn without_needs(&mut self, node: usize, number: &str, actor: usize, edge: &Edge, deed: &Deed) {
        let Deed::Take { transition, with } = deed else { return };
        for field in edge.needs.iter().filter(|need| self.process.is_read_only(need)) {
            let goal = Goal::Need {
                process: self.process.name.clone(),
                state: edge.state.clone(),
                name: edge.name.clone(),
                field: field.clone(),
            };
            if !self.tree.met.contains_key(&goal) {
                let mut with = with.clone();
                with.remove(field);
                let deed = Deed::Take { transition: transition.clone(), with };
                self.tree.attempt(self.ground, Some(node), number, actor, deed);
            }
        }
    }

    fn tasks(&mut self, node: usize, number: &str, record: &Record) {
        if !self.process.edges_of(&record.state).any(|edge| edge.text("when").contains("tasks")) {
            return;
        }
        let tasks = record.data.get("tasks").and_then(Value::as_array);
        let open = tasks.into_iter().flatten().find(|task| task["done"] == false);
        let deed = match open.and_then(|task| u32::try_from(task["id"].as_u64()?).ok()) {
            Some(id) => Deed::FinishTask(id),
            None if tasks.is_none_or(Vec::is_empty) => Deed::AddTask,
            None => return,
        };
        self.step(node, number, 0, deed);
    }

    fn step(&mut self, node: usize, number: &str, actor: usize, deed: Deed) {
        if let Outcome::Done(next, seen) =
            self.tree.attempt(self.ground, Some(node), number, actor, deed)
        {
            self.offer(*next, &seen);
        }
    }

    /// Who is everybody comes first where one person is all.
    fn order(&self, mut persons: Vec<usize>) -> Vec<usize> {
        if self.manner.is_busy {
            persons.sort_unstable();
        }
        persons
    }

    fn openings(&self, now: DateTime<Utc>, fixed: &Map<String, Value>) -> Vec<Map<String, Value>> {
        let mut base = Map::new();
        let process = self.process;
        for (field, _) in process.fields().filter(|(field, _)| !process.is_read_only(field)) {
            if process.is_required(field) || process.is_person(field) {
                base.insert(field.clone(), self.value(field, now));
            }
        }
        base.extend(fixed.clone());
        let mut all = vec![base.clone()];
        let is_free = |field: &&String| !process.is_read_only(field) && !fixed.contains_key(*field);
        let free: Vec<_> = self.asked.iter().filter(is_free).collect();
        for (place, field) in free.iter().enumerate() {
            for value in self.values(field, now) {
                all.push(with(&base, field, &value));
                // All pairs, where there are few.
                for other in free[place + 1..].iter().filter(|_| free.len() <= PAIRED) {
                    for beside in self.values(other, now) {
                        all.push(with(&with(&base, field, &value), other, &beside));
                    }
                }
            }
        }
        let mut seen = BTreeSet::new();
        all.retain(|data| seen.insert(json!(data).to_string()));
        all.truncate(OPENINGS);
        all
    }

    /// The bodies by which an edge is tried: what it needs, and of what it takes what decides something.
    fn deeds(&self, node: usize, edge: &Edge, record: &Record) -> Vec<Deed> {
        let now = self.tree.nodes[node].world.now;
        let asked = &self.asked;
        let mut base = Map::new();
        for need in &edge.needs {
            let is_there = record.data.contains_key(need) && !self.process.is_read_only(need);
            if !is_there {
                base.insert(need.clone(), self.value(need, now));
            }
        }
        let mut bodies = vec![base];
        for field in edge.needs.iter().chain(&edge.takes).filter(|field| asked.contains(*field)) {
            let mut values = self.values(field, now);
            values.extend(self.numbers(node, field, &record.number));
            if edge.takes.contains(field) {
                values.push(Value::Null);
            }
            let mut more = Vec::new();
            for body in &bodies {
                for value in &values {
                    let mut body = body.clone();
                    body.insert(field.clone(), value.clone());
                    body.retain(|_, value| !value.is_null());
                    if !bodies.contains(&body) && !more.contains(&body) {
                        more.push(body);
                    }
                }
            }
            bodies.extend(more);
            bodies.truncate(BODIES);
        }
        let take = |with| Deed::Take { transition: edge.name.clone(), with };
        match edge.takers().is_empty() {
            true => vec![Deed::Vote { transition: edge.name.clone() }],
            false => bodies.into_iter().map(take).collect(),
        }
    }

    fn values(&self, field: &str, now: DateTime<Utc>) -> Vec<Value> {
        let Some(schema) = self.process.schema(field) else { return Vec::new() };
        if self.process.is_person(field) {
            let named = |is_one| self.ground.cast.named(self.process, field, is_one);
            return vec![named(self.manner.is_one), named(true)];
        }
        let mut values = candidates(schema, self.process.conditions(field), now);
        values.retain(|value| !value.is_null());
        values[0] = self.value(field, now);
        values
    }

    /// Records of the world that a text field, or a list of them, may mean.
    fn numbers(&self, node: usize, field: &str, own: &str) -> Vec<Value> {
        let Some(schema) = self.process.schema(field) else { return Vec::new() };
        let may_name = |schema: &Value| {
            schema["type"] == "string"
                && schema["enum"].is_null()
                && schema["format"].is_null()
                && schema["maxLength"].as_u64().is_none_or(|most| most <= 100)
        };
        let is_list = schema["type"] == "array" && may_name(&schema["items"]);
        if self.process.is_person(field) || !(is_list || may_name(schema)) {
            return Vec::new();
        }
        let others = self.tree.nodes[node].world.records().filter(|record| record.number != own);
        let named = others
            .map(|record| if is_list { json!([record.number]) } else { json!(record.number) });
        named.take(NUMBERS).collect()
    }

    fn value(&self, field: &str, now: DateTime<Utc>) -> Value {
        let Some(schema) = self.process.schema(field) else { return Value::Null };
        if self.process.is_person(field) {
            return self.ground.cast.named(self.process, field, self.manner.is_one);
        }
        // What ends does so after it begins.
        let later = if field.ends_with("until") { TimeDelta::days(30) } else { TimeDelta::zero() };
        let value = sample(schema, now + later);
        let most =
            schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(40);
        // A text of its own, so that nothing means a record of another process by chance.
        let least =
            schema["minLength"].as_u64().and_then(|least| usize::try_from(least).ok()).unwrap_or(0);
        match value.as_str() {
            Some(text) if text.starts_with("SOME-TEXT") => {
                let text = format!("{} {field}", self.process.name);
                json!(
                    format!("{text:least$}")
                        .chars()
                        .take(most)
                        .collect::<String>()
                        .replace(' ', "-")
                )
            }
            _ => value,
        }
    }

    /// What tells records apart that stand in one state: all that decides something, and how long it stood.
    fn signature(&self, record: &Record, now: DateTime<Utc>) -> String {
        let mut parts = vec![record.state.clone(), age(now - record.entered_at)];
        for field in self.process.asked.difference(&self.asked) {
            parts.push(record.data.contains_key(field).to_string());
        }
        for field in &self.asked {
            let value = record.data.get(field).cloned().unwrap_or_default();
            let instant = value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
            parts.push(instant.map_or_else(|| value.to_string(), |at| age(at - now)));
        }
        for own in ["tasks", "votes"] {
            parts.push(record.data.get(own).map(Value::to_string).unwrap_or_default());
        }
        let acted = record.data.get("acted").and_then(Value::as_object);
        parts.extend(acted.into_iter().flat_map(|acted| acted.keys().cloned()));
        parts.join("|")
    }
}

fn with(data: &Map<String, Value>, field: &str, value: &Value) -> Map<String, Value> {
    let mut data = data.clone();
    data.insert(field.to_owned(), value.clone());
    data
}

/// About how long.
fn age(span: chrono::TimeDelta) -> String {
    match span.num_days() {
        ..0 => "past",
        0 => "now",
        1..31 => "days",
        _ => "later",
    }
    .to_owned()
}
