//! All definitions and schemes of a service, checked against each other.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use cel::Context;
use chrono::{DateTime, Utc};

use kernel::{Actor, Refusal};

use crate::{
    Definition, Expression, Filter, Flaw, Record, Schemes, Scope, Told, expression, filter::Asked,
    flaw::Flaws,
};

/// What definitions leave to the service's own code: a pure function of what it is given and of the
/// schemes. Called in expressions as `calculate('name', …)`; what it answered is kept in the fact, so
/// that replays do not ask again.
///
/// Its error is a sentence.
pub type Calculation = fn(&[&serde_json::Value], &Schemes) -> Result<serde_json::Value, String>;

/// All calculations of a service, by name.
pub type Calculations = BTreeMap<&'static str, Calculation>;

/// An instant among what a calculation is given, or in an entry of a scheme (RFC 3339); none where it is
/// none.
#[must_use]
pub fn instant_of(value: &serde_json::Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// What a service decides by.
pub struct Ruleset {
    /// Which state of what is published this is, as its keeper counts them; 0 where nobody does.
    edition: i64,
    processes: BTreeMap<String, Process>,
    /// Versions of which nothing can be made any more, by process and number.
    unreadable: BTreeMap<(String, u32), Vec<Flaw>>,
    schemes: Arc<Schemes>,
    calculations: Arc<Calculations>,
    root: Context<'static, 'static>,
    /// Event type to who reacts to it.
    heard: HashMap<String, HeardBy>,
    /// The processes of which some version speaks of `links`.
    link_askers: BTreeSet<String>,
    /// The filters that lists were asked for by.
    asked: Asked,
}

/// What is in force of one service, sound or not.
#[derive(Debug, Default)]
pub struct InForce {
    /// Which state of what is published this is, as its keeper counts them; 0 where nobody does.
    pub edition: i64,
    pub definitions: Vec<Definition>,
    /// Versions of which nothing can be made any more, by process and number.
    pub unreadable: BTreeMap<(String, u32), Vec<Flaw>>,
    /// The version of each process that records are opened with; without it the last.
    pub present: BTreeMap<String, u32>,
    pub schemes: Schemes,
    pub calculations: Calculations,
}

/// A version of a process that has faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Faulty<'a> {
    pub process: &'a str,
    pub version: u32,
    pub faults: &'a [Flaw],
}

/// Who reacts to a type of event, and to what of it.
#[derive(Default)]
struct HeardBy {
    processes: Vec<String>,
    told: Told,
}

/// The versions of one process.
struct Process {
    /// The number of the version that records are opened with.
    number: u32,
    /// That version; where it cannot be read, the last that can.
    present: Arc<Definition>,
    /// All that records may have been born with, oldest first.
    versions: Vec<Arc<Definition>>,
}

impl std::fmt::Debug for Ruleset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.processes.keys()).finish()
    }
}

impl Ruleset {
    /// Brings definitions and schemes together.
    ///
    /// # Errors
    /// Every calendar and scheme that a definition names and nobody defines.
    pub fn new(definitions: Vec<Definition>, schemes: Schemes) -> Result<Self, Vec<String>> {
        Self::calculating(definitions, schemes, Calculations::new())
    }

    /// The same for definitions that leave something to the service's own code.
    ///
    /// # Errors
    /// Every calendar, scheme and calculation that a definition names and nobody defines.
    pub fn calculating(
        definitions: Vec<Definition>,
        schemes: Schemes,
        calculations: Calculations,
    ) -> Result<Self, Vec<String>> {
        let rules =
            Self::in_force(InForce { definitions, schemes, calculations, ..InForce::default() });
        let faults = rules.faults().flat_map(|faulty| {
            faulty.faults.iter().map(move |flaw| format!("{}:{flaw}", faulty.process))
        });
        let faults: Vec<String> = faults.collect();
        if faults.is_empty() { Ok(rules) } else { Err(faults) }
    }

    /// Brings together what is published: a definition that asks for what is not there has that as a
    /// fault, and everything else goes on.
    #[must_use]
    pub fn in_force(parts: InForce) -> Self {
        let InForce { edition, definitions, unreadable, present, schemes, calculations } = parts;
        let mut versions: BTreeMap<String, Vec<Arc<Definition>>> = BTreeMap::new();
        for mut definition in definitions {
            let unmet = unmet(&definition, &schemes, &calculations);
            definition.faults.extend(unmet);
            versions.entry(definition.process.clone()).or_default().push(Arc::new(definition));
        }
        let processes = versions.into_iter().filter_map(|(name, mut versions)| {
            versions.sort_by_key(|definition| definition.version);
            let last = versions.last()?;
            let number = present.get(&name).copied().unwrap_or(last.version);
            let named = versions.iter().find(|definition| definition.version == number);
            let present = Arc::clone(named.unwrap_or(last));
            Some((name, Process { number, present, versions }))
        });
        let processes: BTreeMap<String, Process> = processes.collect();
        let mut heard: HashMap<String, HeardBy> = HashMap::new();
        for (name, process) in &processes {
            let reactions = process.versions.iter().flat_map(|definition| definition.reactions());
            for (event, expressions) in reactions {
                let by = heard.entry(event.to_owned()).or_default();
                if by.processes.last() != Some(name) {
                    by.processes.push(name.clone());
                }
                expressions.for_each(|expression| by.told.add(expression));
            }
        }
        let all = processes.values().flat_map(|process| &process.versions);
        let all = all.filter(|definition| definition.asks_links());
        let link_askers = all.map(|definition| definition.process.clone()).collect();
        let schemes = Arc::new(schemes);
        let calculations = Arc::new(calculations);
        let root = expression::context(&schemes, &calculations);
        Self {
            edition,
            processes,
            unreadable,
            schemes,
            calculations,
            root,
            heard,
            link_askers,
            asked: Asked::default(),
        }
    }

    /// Which state of what is published this is; 0 where nobody counts them.
    #[must_use]
    pub fn edition(&self) -> i64 {
        self.edition
    }

    /// Every version that has faults.
    pub fn faults(&self) -> impl Iterator<Item = Faulty<'_>> {
        let versions = self.processes.values().flat_map(|process| &process.versions);
        let read = versions.filter(|definition| !definition.faults.is_empty());
        let read = read.map(|definition| Faulty {
            process: &definition.process,
            version: definition.version,
            faults: &definition.faults,
        });
        let unreadable = self.unreadable.iter();
        read.chain(unreadable.map(|((process, version), faults)| Faulty {
            process,
            version: *version,
            faults,
        }))
    }

    /// Why nothing can be done by a version of a process, or by its present one: a sentence.
    #[must_use]
    pub fn hindrance(&self, process: &str, version: Option<u32>) -> Option<String> {
        let known = self.processes.get(process)?;
        let number = version.unwrap_or(known.number);
        let faults = match known.versions.iter().find(|known| known.version == number) {
            Some(definition) if definition.faults.is_empty() => return None,
            Some(definition) => Some(&definition.faults),
            None => self.unreadable.get(&(process.to_owned(), number)),
        };
        // Where nobody counts editions there is nothing else to be born with.
        if faults.is_none() && self.edition == 0 {
            return None;
        }
        let first = faults.and_then(|faults| faults.first());
        let what = first.map_or_else(|| "it is not at hand".to_owned(), ToString::to_string);
        Some(format!(
            "version {number} of the process `{process}` cannot be worked by until it is mended: {what}"
        ))
    }

    /// What a definition asks for that these schemes and this service's code do not have.
    #[must_use]
    pub fn unmet(&self, definition: &Definition) -> Vec<Flaw> {
        unmet(definition, &self.schemes, &self.calculations)
    }

    /// The present version of a process.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<&Definition> {
        self.processes.get(name).map(|process| process.present.as_ref())
    }

    /// A list's filter, which is read once however often it is asked for.
    ///
    /// # Errors
    /// Those of [`Filter::parse`].
    pub fn filter(&self, definition: &Definition, source: &str) -> Result<Filter, Refusal> {
        self.asked.read(definition, source)
    }

    /// A version of a process, where it is at hand.
    #[must_use]
    pub fn version(&self, process: &str, version: u32) -> Option<&Definition> {
        self.versions(process).find(|definition| definition.version == version)
    }

    /// All versions of a process that are at hand, oldest first.
    pub fn versions(&self, process: &str) -> impl Iterator<Item = &Definition> {
        let process = self.processes.get(process).into_iter();
        process.flat_map(|process| &process.versions).map(Arc::as_ref)
    }

    /// The version that a record was born with; the present one when that is not at hand.
    #[must_use]
    pub fn definition_of(&self, record: &Record) -> Option<&Definition> {
        self.version(&record.process, record.definition).or_else(|| self.process(&record.process))
    }

    #[must_use]
    pub fn by_collection(&self, collection: &str) -> Option<&Definition> {
        self.processes().find(|definition| definition.collection == collection)
    }

    /// The process whose numbers begin like this one: `INC0000042` to `incident`.
    #[must_use]
    pub fn by_number(&self, number: &str) -> Option<&Definition> {
        let prefix = number.trim_end_matches(|symbol: char| symbol.is_ascii_digit());
        self.processes().find(|definition| definition.prefix == prefix)
    }

    /// The present version of every process.
    pub fn processes(&self) -> impl Iterator<Item = &Definition> {
        self.processes.values().map(|process| process.present.as_ref())
    }

    #[must_use]
    pub fn schemes(&self) -> &Schemes {
        &self.schemes
    }

    /// What definitions may leave to the service's own code.
    #[must_use]
    pub fn calculations(&self) -> &Calculations {
        &self.calculations
    }

    /// The processes that react to events of a type.
    #[must_use]
    pub fn subscribers(&self, event_type: &str) -> &[String] {
        self.heard.get(event_type).map_or(&[], |by| by.processes.as_slice())
    }

    /// What reactions to events of a type are told by; none where nobody reacts.
    #[must_use]
    pub fn told(&self, event_type: &str) -> Option<&Told> {
        self.heard.get(event_type).map(|by| &by.told)
    }

    /// Whether the records of a process are decided by what they are tied to, so that
    /// [`Record::links`] must be known.
    #[must_use]
    pub fn asks_links(&self, process: &str) -> bool {
        !self.link_askers.is_empty() && self.link_askers.contains(process)
    }

    /// Every type of event that some process reacts to.
    pub fn hears(&self) -> impl Iterator<Item = &str> {
        self.heard.keys().map(String::as_str)
    }

    /// Whether an expression over `event`, `actor` and `now` holds of an event, as live streams ask.
    ///
    /// # Errors
    /// A sentence that quotes the expression and says what went wrong.
    pub fn holds_of_event(
        &self,
        expression: &Expression,
        event: &serde_json::Value,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<bool, String> {
        expression.holds(&self.scope(now).actor(actor).event(event))
    }

    pub(crate) fn scope(&self, now: DateTime<Utc>) -> Scope<'_> {
        Scope::new(&self.root, &self.schemes, now).code(&self.calculations)
    }

    /// What the rule scheme `scheme` says of an event.
    ///
    /// # Errors
    /// A sentence, when there is no such scheme or one of its expressions cannot be worked out.
    pub fn match_rules(
        &self,
        scheme: &str,
        event: &serde_json::Value,
        now: DateTime<Utc>,
    ) -> Result<crate::RuleMatch, String> {
        self.schemes.match_rules(scheme, &self.scope(now).event(event))
    }
}

fn unmet(definition: &Definition, schemes: &Schemes, calculations: &Calculations) -> Vec<Flaw> {
    let mut flaws = Flaws::default();
    for (name, place) in definition.calendars() {
        if schemes.calendar(name).is_none() {
            let near = flaws.instead(name, schemes.calendars());
            flaws.add(place, "unknown_calendar", format!("there is no calendar `{name}`{near}"));
        }
    }
    for (name, place) in definition.schemes() {
        if schemes.get(name).is_none() {
            let near = flaws.instead(name, schemes.iter().map(|scheme| scheme.name.as_str()));
            flaws.add(place, "unknown_scheme", format!("there is no scheme `{name}`{near}"));
        }
    }
    for (name, place) in definition.calculations() {
        if !calculations.contains_key(name) {
            let near = flaws.instead(name, calculations.keys().copied());
            let message = format!("this service has no code called `{name}`{near}");
            flaws.add(place, "unknown_function", message);
        }
    }
    flaws.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_stream_asks_of_events() {
        let schemes = Schemes::parse_all(&[]).unwrap_or_else(|faults| panic!("{faults:?}"));
        let rules = Ruleset::new(Vec::new(), schemes).unwrap_or_else(|faults| panic!("{faults:?}"));
        let event = serde_json::json!({ "ce_type": "incident.opened.v1", "priority": 1 });
        let check = |source: &str| {
            let expression = Expression::parse(source).unwrap_or_else(|fault| panic!("{fault}"));
            let actor = Actor::system("gateway");
            rules.holds_of_event(&expression, &event, &actor, DateTime::default()).ok()
        };
        assert_eq!(
            check("event.ce_type.startsWith('incident.') && event.priority <= 2"),
            Some(true)
        );
        assert_eq!(check("event.priority > 2"), Some(false));
        let speaks = Expression::parse("record.state == 'new' || event.priority == 1");
        let speaks = speaks.unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(speaks.variables().collect::<Vec<_>>(), ["event", "record"]);
    }

    #[test]
    fn an_event_is_told_as_far_as_reactions_name_it() {
        let read = |key: &str| {
            let text = format!(
                "process: echo\ncollection: echoes\nnumber: ECH\nroles: {{ agent: {{}} }}\n\
                 fields: {{ properties: {{ key: {{ type: string, readOnly: true }}, cause: {{ readOnly: true }} }} }}\n\
                 starts: {{ heard: \"true\" }}\n\
                 opens: [{{ on: call.made.v1, key: event.key, set: {{ key: event.key, cause: {key} }} }}]\n\
                 states: {{ heard: {{ end: {{ to: over, by: [agent], on: {{ event: call.ended.v1, key: event.key, when: \"event.changes.line != null\" }} }} }}, over: }}\n"
            );
            let definition =
                Definition::parse(&text, 1).unwrap_or_else(|flaws| panic!("{flaws:?}"));
            let schemes = Schemes::parse_all(&[]).unwrap_or_else(|faults| panic!("{faults:?}"));
            Ruleset::new(vec![definition], schemes).unwrap_or_else(|faults| panic!("{faults:?}"))
        };
        let words = |words: &[&str]| Told::Words(words.iter().map(ToString::to_string).collect());
        let rules = read("event.reason");
        assert_eq!(rules.told("call.made.v1"), Some(&words(&["key", "reason"])));
        assert_eq!(rules.told("call.ended.v1"), Some(&words(&["changes", "key"])));
        assert_eq!(rules.told("call.missed.v1"), None);
        assert_eq!(read("event").told("call.made.v1"), Some(&Told::Whole));
    }
}
