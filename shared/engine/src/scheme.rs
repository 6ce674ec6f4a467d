//! Matrices, lists, rules and calendars: versioned data that definitions ask.

use std::{collections::BTreeMap, sync::Arc};

use kernel::{Calendar, CalendarSource};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{Expression, Scope};

/// One version of a scheme.
#[derive(Debug)]
pub struct Scheme {
    pub name: String,
    /// Numbered by the server; 1 until it has.
    pub version: u32,
    /// SHA-256 of its text, hexadecimal: what makes two versions the same.
    pub digest: String,
    pub kind: SchemeKind,
}

#[derive(Debug)]
pub enum SchemeKind {
    /// From the values of the inputs, one after the other, to a cell.
    Matrix {
        inputs: Vec<String>,
        table: Value,
    },
    /// What there is: services, configuration items, categories. Entry to its attributes.
    /// An open one also takes what it does not list.
    List {
        entries: Map<String, Value>,
        is_open: bool,
    },
    /// What an event means: defaults, then the first rule that holds.
    Rules {
        defaults: Vec<(String, Expression)>,
        rules: Vec<SchemeRule>,
    },
    Calendar(Calendar),
}

#[derive(Debug)]
pub struct SchemeRule {
    name: String,
    when: Expression,
    set: Vec<(String, Expression)>,
}

/// What a rule scheme says of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleMatch {
    /// The rule that held, `default` when none did.
    pub rule: String,
    pub version: u32,
    pub values: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    scheme: String,
    kind: Kind,
    #[serde(default)]
    inputs: Vec<String>,
    #[serde(default)]
    table: Value,
    #[serde(default)]
    entries: Map<String, Value>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    #[serde(default)]
    rules: Vec<RuleSource>,
    calendar: Option<CalendarSource>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Matrix,
    List,
    Rules,
    Calendar,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSource {
    name: String,
    when: String,
    set: BTreeMap<String, String>,
}

impl Scheme {
    /// Reads a scheme file.
    ///
    /// # Errors
    /// Every fault, as a sentence.
    pub fn parse(text: &str, version: u32) -> Result<Self, Vec<String>> {
        let source: Source =
            serde_saphyr::from_str(text).map_err(|fault| vec![fault.to_string()])?;
        let mut faults = Vec::new();
        let kind = match source.kind {
            Kind::Matrix => {
                if source.inputs.is_empty() {
                    faults.push("a matrix names its `inputs`".to_owned());
                }
                SchemeKind::Matrix { inputs: source.inputs, table: source.table }
            }
            Kind::List => {
                let entries =
                    source.entries.into_iter().map(|(key, entry)| (key, attributes(entry)));
                SchemeKind::List { entries: entries.collect(), is_open: source.open }
            }
            Kind::Rules => {
                let defaults = expressions(source.defaults, "defaults", &mut faults);
                let rules = source
                    .rules
                    .into_iter()
                    .filter_map(|rule| scheme_rule(rule, &mut faults))
                    .collect();
                SchemeKind::Rules { defaults, rules }
            }
            Kind::Calendar => match source.calendar.map(Calendar::try_from) {
                Some(Ok(calendar)) => SchemeKind::Calendar(calendar),
                Some(Err(found)) => return Err(found),
                None => return Err(vec!["a calendar has a `calendar`".to_owned()]),
            },
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let digest = hex::encode(Sha256::digest(text));
        Ok(Self { name: source.scheme, version, digest, kind })
    }
}

/// An entry without attributes may be written as `mail:`.
fn attributes(entry: Value) -> Value {
    if entry.is_null() { json!({}) } else { entry }
}

fn scheme_rule(source: RuleSource, faults: &mut Vec<String>) -> Option<SchemeRule> {
    let place = format!("rule `{}`", source.name);
    let set = expressions(source.set, &place, faults);
    match Expression::parse(&source.when) {
        Ok(when) => Some(SchemeRule { name: source.name, when, set }),
        Err(fault) => {
            faults.push(format!("{place}: {fault}"));
            None
        }
    }
}

fn expressions(
    sources: BTreeMap<String, String>,
    place: &str,
    faults: &mut Vec<String>,
) -> Vec<(String, Expression)> {
    let mut parsed = Vec::new();
    for (name, source) in sources {
        match Expression::parse(&source) {
            Ok(expression) => parsed.push((name, expression)),
            Err(fault) => faults.push(format!("{place}, `{name}`: {fault}")),
        }
    }
    parsed
}

/// What asking a scheme finds.
pub(crate) enum Lookup<'a> {
    Found(&'a Value),
    Absent,
    NoSuchScheme,
}

/// All schemes of a service, by name.
#[derive(Debug, Default)]
pub struct Schemes {
    by_name: BTreeMap<String, Arc<Scheme>>,
    /// Versions that do not count any more, for what was judged by them.
    former: BTreeMap<(String, u32), Arc<Scheme>>,
}

impl Schemes {
    #[must_use]
    pub fn new(schemes: Vec<Scheme>) -> Self {
        let by_name =
            schemes.into_iter().map(|scheme| (scheme.name.clone(), Arc::new(scheme))).collect();
        Self { by_name, former: BTreeMap::new() }
    }

    /// Keeps former versions at hand beside those that count.
    #[must_use]
    pub fn with_former(mut self, schemes: Vec<Scheme>) -> Self {
        let keyed = schemes
            .into_iter()
            .map(|scheme| ((scheme.name.clone(), scheme.version), Arc::new(scheme)));
        self.former.extend(keyed);
        self
    }

    /// Reads scheme files, given as place and text, each as version 1.
    ///
    /// # Errors
    /// Every fault of every file, with its place.
    pub fn parse_all(files: &[(&str, &str)]) -> Result<Self, Vec<String>> {
        let mut schemes = Vec::new();
        let mut faults = Vec::new();
        for (place, text) in files {
            match Scheme::parse(text, 1) {
                Ok(scheme) => schemes.push(scheme),
                Err(found) => faults.extend(found.iter().map(|fault| format!("{place}: {fault}"))),
            }
        }
        if faults.is_empty() { Ok(Self::new(schemes)) } else { Err(faults) }
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Scheme> {
        self.by_name.get(name).map(Arc::as_ref)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Scheme> {
        self.by_name.values().map(Arc::as_ref)
    }

    #[must_use]
    pub fn calendar(&self, name: &str) -> Option<&Calendar> {
        match &self.get(name)?.kind {
            SchemeKind::Calendar(calendar) => Some(calendar),
            _ => None,
        }
    }

    /// A calendar as it was in a version, the present one or a former.
    #[must_use]
    pub fn calendar_version(&self, name: &str, version: u32) -> Option<&Calendar> {
        let present = self.get(name).filter(|scheme| scheme.version == version);
        let former = || self.former.get(&(name.to_owned(), version)).map(Arc::as_ref);
        match &present.or_else(former)?.kind {
            SchemeKind::Calendar(calendar) => Some(calendar),
            _ => None,
        }
    }

    /// The entries of a list scheme.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&Map<String, Value>> {
        match &self.get(name)?.kind {
            SchemeKind::List { entries, .. } => Some(entries),
            _ => None,
        }
    }

    /// The entries of a list scheme that takes no others.
    pub(crate) fn closed_list(&self, name: &str) -> Option<&Map<String, Value>> {
        match &self.get(name)?.kind {
            SchemeKind::List { entries, is_open: false } => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn cell(&self, name: &str, inputs: &[String]) -> Lookup<'_> {
        let Some(SchemeKind::Matrix { inputs: named, table }) =
            self.get(name).map(|scheme| &scheme.kind)
        else {
            return Lookup::NoSuchScheme;
        };
        if named.len() != inputs.len() {
            return Lookup::Absent;
        }
        let cell = inputs.iter().try_fold(table, |table, input| table.get(input));
        cell.map_or(Lookup::Absent, Lookup::Found)
    }

    pub(crate) fn entry(&self, name: &str, key: &str) -> Lookup<'_> {
        match self.list(name) {
            Some(entries) => entries.get(key).map_or(Lookup::Absent, Lookup::Found),
            None => Lookup::NoSuchScheme,
        }
    }

    pub(crate) fn attribute(&self, name: &str, key: &str, attribute: &str) -> Lookup<'_> {
        match self.entry(name, key) {
            Lookup::Found(entry) => entry.get(attribute).map_or(Lookup::Absent, Lookup::Found),
            other => other,
        }
    }

    /// What the rule scheme `name` says in `scope`: its defaults, overlaid by the first rule that holds.
    ///
    /// # Errors
    /// A sentence, when there is no such scheme or an expression cannot be worked out.
    pub fn match_rules(&self, name: &str, scope: &Scope<'_>) -> Result<RuleMatch, String> {
        let Some((scheme, SchemeKind::Rules { defaults, rules })) =
            self.get(name).map(|scheme| (scheme, &scheme.kind))
        else {
            return Err(format!("there are no rules `{name}`"));
        };
        let mut values = Map::new();
        for (name, expression) in defaults {
            values.insert(name.clone(), expression.value(scope)?);
        }
        for rule in rules {
            if rule.when.holds(scope)? {
                for (name, expression) in &rule.set {
                    values.insert(name.clone(), expression.value(scope)?);
                }
                let rule = rule.name.clone();
                return Ok(RuleMatch { rule, version: scheme.version, values });
            }
        }
        Ok(RuleMatch { rule: "default".to_owned(), version: scheme.version, values })
    }
}
