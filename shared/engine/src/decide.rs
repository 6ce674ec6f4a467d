//! Whether a command is granted, and what then happens.

mod attach;
mod change;
mod checks;
mod duties;
mod edits;
mod erase;
mod late;
mod link;
mod migrate;
mod obligations;
mod open;
mod task;
mod vote;

use kernel::{Cause, Channel, Fault, Refusal, Rule};
use serde_json::{Map, Value};

use self::{
    change::Draft,
    checks::{guard, in_time, permitted},
};
use crate::{
    Command, Definition, Fact, Notice, Opened, Record, Ruleset, Subject, Transition, apply,
};

pub(crate) use checks::{missing_role, permission, time_limit};
pub(crate) use vote::Poll;
pub use vote::Tally;

/// A comment may be this long, in bytes.
const COMMENT_LIMIT: usize = 32 * 1024;

/// Decides a command: the fact that it makes, or every reason why not. Pure.
///
/// # Errors
/// A [`Refusal`] whose rule says who must act: the sender (`invalid`), whoever grants roles (`role`),
/// or time and the record itself (`state`, `guard`).
pub fn decide(
    rules: &Ruleset,
    subject: Subject<'_>,
    command: &Command,
    cause: &Cause,
) -> Result<Fact, Refusal> {
    make(rules, subject, command, cause).map(|made| made.fact)
}

/// The same, with the record after it: what [`crate::apply`] makes of the fact, not worked out twice.
///
/// # Errors
/// As [`decide`].
pub fn step(
    rules: &Ruleset,
    subject: Subject<'_>,
    command: &Command,
    cause: &Cause,
) -> Result<(Fact, Record), Refusal> {
    let before = match &subject {
        Subject::Existing(record) => Some(*record),
        Subject::New { .. } => None,
    };
    let Made { fact, data } = make(rules, subject, command, cause)?;
    let record = match data {
        Some(data) => apply::with_data(before, &fact, data),
        None => apply::apply(before.cloned(), &fact),
    };
    Ok((fact, record))
}

/// What a command comes to.
struct Made {
    fact: Fact,
    /// The record's data after it, where it was worked out on the way.
    data: Option<Map<String, Value>>,
}

impl From<Fact> for Made {
    fn from(fact: Fact) -> Self {
        Self { fact, data: None }
    }
}

fn make(
    rules: &Ruleset,
    subject: Subject<'_>,
    command: &Command,
    cause: &Cause,
) -> Result<Made, Refusal> {
    match (subject, command) {
        (Subject::New { process, id, number }, Command::Open { data }) => {
            let definition = rules.process(process).ok_or_else(|| unknown_process(process))?;
            let opened = Opened {
                id,
                number,
                process: process.to_owned(),
                definition: definition.version,
                by: cause.actor.id.clone(),
            };
            open::open(rules, definition, opened, data, cause)
        }
        (Subject::Existing(record), command) => {
            let definition =
                rules.definition_of(record).ok_or_else(|| unknown_process(&record.process))?;
            late::granted(rules, definition, record, command, cause)?;
            match command {
                Command::Amend { patch } => amend(rules, definition, record, patch, cause),
                Command::Take { transition, with } => {
                    let transition = offered(definition, record, transition)?;
                    take(rules, definition, record, transition, with, cause)
                }
                Command::Vote { transition, ballot, comment } => {
                    let said = (transition.as_str(), ballot, comment.as_deref());
                    vote::vote(rules, definition, record, said, cause)
                }
                Command::Task { wish } => task::task(rules, definition, record, wish, cause),
                Command::Fire { transition } if let Some(owed) = duties::debt_of(transition) => {
                    remind(rules, definition, record, owed, cause)
                }
                Command::Fire { transition }
                    if let Some(name) = obligations::obligation_of(transition) =>
                {
                    fall_due(rules, definition, record, name, cause)
                }
                Command::Fire { transition } => {
                    let transition = offered(definition, record, transition)?;
                    if !transition.has_timer() {
                        return Err(not_offered(definition, record, &transition.name));
                    }
                    take(rules, definition, record, transition, &Map::new(), cause)
                }
                Command::Comment { text } => comment(rules, definition, record, text, cause),
                Command::Attach { file } => attach::attach(rules, definition, record, file, cause),
                Command::Link { relation, to } => {
                    link::link(rules, definition, record, relation, to, cause)
                }
                Command::Tell { notices } => tell(rules, definition, record, notices, cause),
                Command::Unlink { link } => link::unlink(rules, definition, record, link, cause),
                Command::Tied { link } | Command::Untied { link } => {
                    let is_tied = matches!(command, Command::Tied { .. });
                    link::answered(rules, definition, record, link, is_tied, cause)
                }
                Command::Migrate(migration) => migrate::migrate(rules, record, migration, cause),
                Command::Erase(erasure) => erase::erase(rules, definition, record, erasure, cause),
                Command::Open { .. } => Err(Refusal::one(
                    Rule::State,
                    "",
                    "already_open",
                    format!("{} is open already", record.number),
                )),
            }
        }
        (Subject::New { .. }, _) => {
            Err(Refusal::one(Rule::State, "", "not_open", "a record begins by being opened"))
        }
    }
}

fn unknown_process(process: &str) -> Refusal {
    let message = format!("there is no process `{process}` in this service");
    Refusal::one(Rule::Invalid, "", "unknown_process", message)
}

/// Timers, reactions and rules fill fields that people may not.
fn is_automatic(cause: &Cause) -> bool {
    matches!(cause.channel, Channel::Event | Channel::Timer)
}

fn amend(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    patch: &Map<String, Value>,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let role = edits::permitted(rules, definition, record, patch, cause)?;
    if definition.is_final(&record.state) {
        let message =
            format!("{} is {}, which is final: it changes no more", record.number, record.state);
        return Err(Refusal::one(Rule::State, "", "final", message));
    }
    let (removed, mut given): (Map<_, _>, Map<_, _>) =
        patch.clone().into_iter().partition(|(_, value)| value.is_null());
    let mut faults = definition.amend_faults(&mut given);
    faults.extend(unknown_references(rules, definition, &given, cause));
    for name in removed.keys() {
        if definition.field(name).is_none_or(|field| field.read_only) {
            let message = format!("`{name}` is not a field that can be given here");
            faults.push(Fault::new(format!("/{name}"), "unknown_field", message));
        } else if definition.required.contains(name) {
            let message = format!("`{name}` is required and cannot be removed");
            faults.push(Fault::new(format!("/{name}"), "required", message));
        }
    }
    invalid(faults)?;
    let mut next = record.clone();
    next.data.retain(|name, _| !removed.contains_key(name));
    next.data.append(&mut given);
    let mut fact = Fact::blank("amended", cause);
    fact.role = role;
    changed(rules, definition, record, next, fact, cause)
}

/// What follows from a change of data: votes that it makes void send the record back.
fn changed(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    next: Record,
    mut fact: Fact,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let mut draft = Draft { rules, definition, cause, before: Some(record), record: next };
    draft.derive(&mut fact)?;
    let moves = draft.record.state != record.state;
    let goes_back = duties::void(definition, record, &mut draft.record)?;
    if goes_back {
        duties::sent_back(&mut fact, record, &draft.record);
    }
    if goes_back || moves {
        draft.record.entered_at = cause.when();
        duties::reached(rules, definition, Some(record), &draft.record, cause)?;
    }
    draft.finish(fact, goes_back || moves)
}

/// A debt is overdue: a fact that changes nothing else.
fn remind(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    owed: &str,
    cause: &Cause,
) -> Result<Made, Refusal> {
    permitted(rules, definition, record, &[], true, cause)?;
    let data = duties::overdue(record, owed)?;
    let next = Record { data, ..record.clone() };
    changed(rules, definition, record, next, Fact::blank("overdue", cause), cause)
}

/// An obligation is remembered or overdue: a fact that changes nothing else.
fn fall_due(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    name: &str,
    cause: &Cause,
) -> Result<Made, Refusal> {
    permitted(rules, definition, record, &[], true, cause)?;
    let (event, data) = obligations::due(definition, record, name, cause.when())?;
    let next = Record { data, ..record.clone() };
    changed(rules, definition, record, next, Fact::blank(event, cause), cause)
}

fn take(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    transition: &Transition,
    with: &Map<String, Value>,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let automatic = transition.is_automatic();
    if transition.vote.is_some() && transition.by.is_empty() && !is_automatic(cause) {
        let message = format!("`{}` is voted on: the vote that decides takes it", transition.name);
        return Err(Refusal::one(Rule::State, "", "vote", message));
    }
    let role = permitted(rules, definition, record, &transition.by, automatic, cause)?;
    vote::decided(rules, record, transition, cause)?;
    duties::separate(definition, record, transition, &cause.actor.id)?;
    let mut given = with.clone();
    given.retain(|_, value| !value.is_null());
    let mut faults = Vec::new();
    if !is_automatic(cause) {
        faults.extend(transition.faults(&mut given));
        faults.extend(unknown_references(rules, definition, &given, cause));
    }
    let mut next = record.clone();
    next.data.extend(given);
    for need in &transition.needs {
        let told = faults.iter().any(|fault| fault.path == format!("/{need}"));
        if !told && next.data.get(need).is_none_or(is_blank) {
            let message = format!("`{}` needs `{need}`", transition.name);
            faults.push(Fault::new(format!("/{need}"), "required", message));
        }
    }
    invalid(faults)?;
    in_time(rules, record, transition, cause)?;
    guard(rules, definition, &next, transition, cause)?;
    moved(rules, definition, record, next, (transition, with), role, cause)
}

/// The fact of a transition that is granted; `next` is the record with what was given.
fn moved(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    mut next: Record,
    (transition, with): (&Transition, &Map<String, Value>),
    role: Option<String>,
    cause: &Cause,
) -> Result<Made, Refusal> {
    for (field, expression) in &transition.set {
        let scope = rules
            .scope(cause.when())
            .actor(&cause.actor)
            .given(with)
            .record(&next, &definition.field_names);
        let value = expression.value(&scope).map_err(change::broken)?;
        change::put(&mut next.data, field, value);
    }
    let mut fact = Fact::blank(&transition.says, cause);
    fact.role = role;
    fact.transition = Some(transition.name.clone());
    fact.from = Some(record.state.clone());
    fact.to = Some(transition.to.clone());
    if transition.to != record.state {
        next.state.clone_from(&transition.to);
        next.entered_at = cause.when();
    }
    duties::taken(rules, definition, record, &mut next, transition, cause)?;
    changed(rules, definition, record, next, fact, cause)
}

/// A text of nothing is no evidence.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn comment(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    text: &str,
    cause: &Cause,
) -> Result<Made, Refusal> {
    let role = permitted(rules, definition, record, &definition.may.comment, true, cause)?;
    if text.trim().is_empty() || text.len() > COMMENT_LIMIT {
        let message = format!("a comment has 1 to {COMMENT_LIMIT} bytes");
        return Err(Refusal::one(Rule::Invalid, "/text", "length", message));
    }
    let mut fact = Fact::blank("commented", cause);
    fact.role = role;
    fact.comment = Some(text.to_owned());
    Ok(fact.into())
}

/// Who is told was worked out from what has just happened: the system alone says so.
fn tell(
    rules: &Ruleset,
    definition: &Definition,
    record: &Record,
    notices: &[Notice],
    cause: &Cause,
) -> Result<Made, Refusal> {
    let mut fact = Fact::blank("notified", cause);
    fact.role = permitted(rules, definition, record, &[], true, cause)?;
    fact.notices = notices.to_vec();
    Ok(fact.into())
}

fn offered<'a>(
    definition: &'a Definition,
    record: &Record,
    name: &str,
) -> Result<&'a Transition, Refusal> {
    definition
        .transitions(&record.state)
        .iter()
        .find(|transition| transition.name == name)
        .ok_or_else(|| not_offered(definition, record, name))
}

fn not_offered(definition: &Definition, record: &Record, name: &str) -> Refusal {
    let offered: Vec<_> = definition
        .transitions(&record.state)
        .iter()
        .filter(|transition| transition.by.iter().any(|role| role != kernel::SYSTEM))
        .map(|transition| transition.name.as_str())
        .collect();
    let instead = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
    let message = format!(
        "`{name}` is not possible while {} is {}; possible is {instead}",
        record.number, record.state
    );
    Refusal::one(Rule::State, "", "not_offered", message)
}

fn unknown_references(
    rules: &Ruleset,
    definition: &Definition,
    data: &Map<String, Value>,
    cause: &Cause,
) -> Vec<Fault> {
    data.iter()
        .filter_map(|(name, value)| Some((definition.field(name)?, value)))
        .flat_map(|(field, value)| field.unknown_references(value, rules.schemes(), cause.when()))
        .collect()
}

fn invalid(faults: Vec<Fault>) -> Result<(), Refusal> {
    if faults.is_empty() { Ok(()) } else { Err(Refusal::new(Rule::Invalid, faults)) }
}

impl Fact {
    fn blank(event: &str, cause: &Cause) -> Self {
        Self {
            event: event.to_owned(),
            at: cause.when(),
            opened: None,
            transition: None,
            from: None,
            to: None,
            role: None,
            changes: std::collections::BTreeMap::new(),
            comment: None,
            attachment: None,
            link: None,
            unlink: None,
            is_answer: false,
            erasure: None,
            migration: None,
            audience: None,
            computed: Map::new(),
            timers: None,
            more_timers: Vec::new(),
            fewer_timers: Vec::new(),
            notices: Vec::new(),
            is_final: false,
            channel: cause.channel,
            implied: cause.implied,
        }
    }
}
