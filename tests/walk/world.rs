//! The platform in memory: records of all services moved by the engine alone, without clock, database or
//! bus. What the walk plans here it holds the real platform to.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use engine::{Command, Happening, Links, Record, Response, Ruleset, Subject, Timer, Told};
use kernel::{Actor, Cause, Channel, Refusal};
use uuid::Uuid;

use crate::book::Book;

/// Numbers of planned records begin here, so that none is a real one.
const FIRST: u64 = 5_000_000;
/// Reactions within a service go this deep, as they do in the store.
const DEPTH: u8 = 8;
/// So many timers are fired in one stretch of time; a record that fires for ever ends here.
const FIRED: usize = 200;

/// Records as they stand at one instant. A clone is cheap.
#[derive(Clone)]
pub struct World {
    pub now: DateTime<Utc>,
    records: BTreeMap<String, Arc<Held>>,
    /// Process and key to the number of its holder.
    keys: BTreeMap<(String, String), String>,
    counts: BTreeMap<String, u64>,
    serial: u128,
}

pub struct Held {
    pub record: Record,
    timers: Vec<Timer>,
}

/// One fact, as far as the walk asks for it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub process: String,
    pub number: String,
    pub from: Option<String>,
    pub transition: Option<String>,
    /// `change.closed.v1`
    pub kind: String,
    /// The event that opened it, if one did.
    pub opened_by: Option<String>,
    /// Fields that the fact changed, and to what.
    pub changes: BTreeMap<String, serde_json::Value>,
    /// Whether it came over the bus, and not in the transaction of what was asked.
    pub is_abroad: bool,
}

/// What a command is about.
pub enum Target<'a> {
    New(&'a str),
    Record(&'a str),
}

/// Who asks, and how the wish came in.
struct Door<'a> {
    actor: &'a Arc<Actor>,
    channel: Channel,
    opened_by: Option<String>,
    is_abroad: bool,
}

/// What is being done: what has been seen of it, and what other services have not heard yet.
#[derive(Default)]
struct Course {
    seen: Vec<Seen>,
    unheard: VecDeque<(&'static str, Happening)>,
}

impl World {
    pub fn at(now: DateTime<Utc>) -> Self {
        let (records, keys, counts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { now, records, keys, counts, serial: 0 }
    }

    pub fn held(&self, number: &str) -> Option<&Held> {
        self.records.get(number).map(Arc::as_ref)
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(|held| &held.record)
    }

    /// Whether a record of a process was opened under a key.
    pub fn is_holder(&self, process: &str, key: &str, number: &str) -> bool {
        let key = (process.to_owned(), key.to_owned());
        self.keys.get(&key).is_some_and(|holder| holder == number)
    }

    /// What somebody asks, with all that follows from it at this instant.
    pub fn command(
        &mut self,
        book: &Book,
        target: Target<'_>,
        command: &Command,
        actor: &Arc<Actor>,
    ) -> Result<Vec<Seen>, Refusal> {
        let mut next = self.clone();
        let mut course = Course::default();
        let door = Door { actor, channel: Channel::Api, opened_by: None, is_abroad: false };
        next.step(book, target, command, &door, &mut course, 0)?;
        next.spread(book, &mut course);
        next.fire(book, next.now, &mut course);
        *self = next;
        Ok(course.seen)
    }

    /// Lets time pass.
    pub fn wait(&mut self, book: &Book, until: DateTime<Utc>) -> Vec<Seen> {
        let mut course = Course::default();
        self.fire(book, until, &mut course);
        self.now = until;
        course.seen
    }

    /// When the next timer of a record is due.
    pub fn next_due(&self, number: &str) -> Option<DateTime<Utc>> {
        self.held(number)?.timers.iter().map(|timer| timer.due).min()
    }

    fn fire(&mut self, book: &Book, until: DateTime<Utc>, course: &mut Course) {
        for _ in 0..FIRED {
            let due = self.records.values().flat_map(|held| {
                held.timers
                    .iter()
                    .map(|timer| (timer.due, held.record.number.clone(), timer.transition.clone()))
            });
            let Some((due, number, transition)) = due.min_by_key(|(due, ..)| *due) else { return };
            if due > until {
                return;
            }
            self.now = self.now.max(due);
            let held = &self.records[&number];
            let timers = held.timers.iter().filter(|timer| timer.transition != transition).cloned();
            let held = Held { record: held.record.clone(), timers: timers.collect() };
            let service = book.process(&held.record.process).expect("it is known").service;
            self.records.insert(number.clone(), Arc::new(held));
            let actor = Arc::new(Actor::system(service));
            let door =
                Door { actor: &actor, channel: Channel::Timer, opened_by: None, is_abroad: true };
            // The record may have moved on: then the timer has nothing left to do.
            let mut next = self.clone();
            if next
                .step(
                    book,
                    Target::Record(&number),
                    &Command::Fire { transition },
                    &door,
                    course,
                    0,
                )
                .is_ok()
            {
                *self = next;
                self.spread(book, course);
            }
        }
    }

    /// Brings what was said to the other services, until nothing is left to be said.
    fn spread(&mut self, book: &Book, course: &mut Course) {
        while let Some((from, happening)) = course.unheard.pop_front() {
            for (service, rules) in &book.rules {
                for happening in told(service, from, &happening) {
                    self.hear(book, service, rules, &happening, course, (0, true));
                }
            }
        }
    }

    fn step(
        &mut self,
        book: &Book,
        target: Target<'_>,
        command: &Command,
        door: &Door<'_>,
        course: &mut Course,
        depth: u8,
    ) -> Result<String, Refusal> {
        self.serial += 1;
        let cause = Cause::new(
            Uuid::from_u128(self.serial),
            Arc::clone(door.actor),
            self.now,
            door.channel,
        );
        let (process, before) = match &target {
            Target::New(process) => ((*process).to_owned(), None),
            Target::Record(number) => {
                let held = Arc::clone(&self.records[*number]);
                (held.record.process.clone(), Some(held))
            }
        };
        let service = book.process(&process).expect("it is known").service;
        let rules = &book.rules[service];
        let subject = match &before {
            Some(held) => Subject::Existing(&held.record),
            None => {
                let count = self.counts.entry(process.clone()).or_default();
                *count += 1;
                let number = rules.process(&process).expect("it is known").number(FIRST + *count);
                Subject::New { process: &process, id: Uuid::from_u128(self.serial), number }
            }
        };
        let fact = engine::decide(rules, subject, command, &cause)?;
        let (record, timers) = match &before {
            Some(held) => (Some(held.record.clone()), held.timers.clone()),
            None => (None, Vec::new()),
        };
        let is_new = record.is_none();
        let mut record = engine::apply(record, &fact);
        if is_new && rules.asks_links(&process) {
            record.links = Links::known(Vec::new());
        }
        let mut timers = fact.timers.clone().unwrap_or(timers);
        for timer in &fact.more_timers {
            timers.retain(|known| known.transition != timer.transition);
            timers.push(timer.clone());
        }
        let kind = contract::event_type(&process, &fact.event, 1);
        course.seen.push(Seen {
            process,
            number: record.number.clone(),
            from: fact.from.clone(),
            transition: fact.transition.clone(),
            kind: kind.clone(),
            opened_by: door.opened_by.clone(),
            changes: fact
                .changes
                .iter()
                .map(|(field, (_, new))| (field.clone(), new.clone()))
                .collect(),
            is_abroad: door.is_abroad,
        });
        let happening = Happening::of_fact(&kind, &record, &fact, &Told::Whole);
        let number = record.number.clone();
        self.records.insert(number.clone(), Arc::new(Held { record, timers }));
        self.hear(book, service, rules, &happening, course, (depth + 1, door.is_abroad));
        course.unheard.push_back((service, happening));
        Ok(number)
    }

    /// Lets the processes of a service react; what a rule refuses stops nobody else.
    fn hear(
        &mut self,
        book: &Book,
        service: &'static str,
        rules: &Ruleset,
        happening: &Happening,
        course: &mut Course,
        (depth, is_abroad): (u8, bool),
    ) {
        if depth > DEPTH {
            return;
        }
        let actor = Arc::new(Actor::system(service));
        for process in rules.subscribers(&happening.kind) {
            let mut next = self.clone();
            let (seen, unheard) = (course.seen.len(), course.unheard.len());
            let door = Door {
                actor: &actor,
                channel: Channel::Event,
                opened_by: Some(happening.kind.clone()),
                is_abroad,
            };
            if next.react(book, rules, process, happening, &door, course, depth).is_some() {
                *self = next;
            } else {
                course.seen.truncate(seen);
                course.unheard.truncate(unheard);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a recursion over the whole world")]
    fn react(
        &mut self,
        book: &Book,
        rules: &Ruleset,
        process: &str,
        happening: &Happening,
        door: &Door<'_>,
        course: &mut Course,
        depth: u8,
    ) -> Option<()> {
        let cause = Cause::new(Uuid::nil(), Arc::clone(door.actor), self.now, Channel::Event);
        let key = engine::reaction_key(rules, process, happening, &cause).ok()??;
        let holder = self.holder(process, &key).map(|held| held.record.clone());
        let response = engine::respond(rules, process, holder.as_ref(), happening, &cause).ok()?;
        let tie = |relation: Option<String>| {
            let to = happening.record.clone();
            relation.zip(to).map(|(relation, to)| Command::Link { relation, to })
        };
        let (target, command, links) = match response {
            Response::Nothing { .. } => return None,
            Response::Open { data, link, .. } => (None, Command::Open { data }, tie(link)),
            Response::Take { transition, with, link } => {
                (holder, Command::Take { transition, with }, tie(link))
            }
            Response::Attach { relation } => (holder, tie(Some(relation))?, None),
        };
        let number = match &target {
            Some(record) => {
                let door = Door { opened_by: None, ..*door };
                self.step(book, Target::Record(&record.number), &command, &door, course, depth)
                    .ok()?
            }
            None => {
                let number =
                    self.step(book, Target::New(process), &command, door, course, depth).ok()?;
                self.keys.insert((process.to_owned(), key), number.clone());
                number
            }
        };
        if let Some(link) = links {
            let door = Door { opened_by: None, ..*door };
            // Tied already, or a tie that is another service's to confirm: nothing that the walk asks for.
            let _ = self.step(book, Target::Record(&number), &link, &door, course, depth);
        }
        Some(())
    }

    /// The record that a key stands for: opened under it, or named by id or number.
    fn holder(&self, process: &str, key: &str) -> Option<&Held> {
        let number = self.keys.get(&(process.to_owned(), key.to_owned())).map(String::as_str);
        let by_id = || {
            self.records()
                .find(|record| record.id.to_string() == key)
                .map(|record| record.number.as_str())
        };
        let held = self.held(number.or_else(by_id).unwrap_or(key))?;
        (held.record.process == process).then_some(held)
    }
}

/// What a service makes of what another said, or itself.
fn told(service: &str, from: &str, happening: &Happening) -> Vec<Happening> {
    match (service, from) {
        ("change", "release") => change::parts_of_a_release(happening.clone()),
        ("change", "change") => change::items_of_a_change(happening.clone()),
        ("incident", "release") => incident::errors_of_a_release(happening.clone()),
        ("governance", "release") => governance::trainees_of_a_release(happening.clone()),
        ("governance", "governance") => governance::readers_of_a_document(happening.clone()),
        _ if service == from => Vec::new(),
        _ => vec![happening.clone()],
    }
}
