//! Matrices, lists, trees, rules and calendars: versioned data that definitions ask.

mod branches;
mod listed;
mod reading;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use kernel::Calendar;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use listed::Dates;
pub use listed::Listed;

use crate::{Expression, Flaw, Scope, flaw::Flaws};

/// One version of a scheme.
#[derive(Debug)]
pub struct Scheme {
    pub name: String,
    /// Numbered by the server; 1 until it has.
    pub version: u32,
    /// SHA-256 of its text, hexadecimal: what makes two versions the same.
    pub digest: String,
    /// From when it counts; until then the version before it does.
    pub valid_from: Option<DateTime<Utc>>,
    pub kind: SchemeKind,
}

#[derive(Debug)]
pub enum SchemeKind {
    /// From the values of the inputs, one after the other, to a cell.
    Matrix {
        inputs: Vec<String>,
        table: Value,
    },
    /// What there is: services, configuration items, categories.
    List(Listed),
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

impl Scheme {
    /// Whether a file says that it is a scheme, and not a definition.
    #[must_use]
    pub fn is_written_in(text: &str) -> bool {
        reading::is_scheme(text)
    }

    /// Reads a scheme file.
    ///
    /// # Errors
    /// Every flaw found, each a sentence with its place, in the order of the file.
    pub fn parse(text: &str, version: u32) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Flaws::default();
        match reading::read(text, &mut flaws) {
            Some(read) if flaws.is_empty() => {
                let digest = hex::encode(Sha256::digest(text));
                let (name, valid_from, kind) = (read.name, read.valid_from, read.kind);
                Ok(Self { name, version, digest, valid_from, kind })
            }
            _ => Err(flaws.into_vec()),
        }
    }
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
    /// What is wrong with schemes that count and cannot be read any more.
    faults: BTreeMap<String, Vec<Flaw>>,
}

impl Schemes {
    #[must_use]
    pub fn new(schemes: Vec<Scheme>) -> Self {
        let by_name =
            schemes.into_iter().map(|scheme| (scheme.name.clone(), Arc::new(scheme))).collect();
        Self { by_name, ..Self::default() }
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

    /// These schemes with others laid over those of the same names, which stay at hand in their versions.
    #[must_use]
    pub fn overlaid(&self, schemes: Vec<Scheme>) -> Self {
        let (mut by_name, mut former) = (self.by_name.clone(), self.former.clone());
        for scheme in schemes {
            let before = by_name.insert(scheme.name.clone(), Arc::new(scheme));
            former.extend(before.map(|before| ((before.name.clone(), before.version), before)));
        }
        Self { by_name, former, faults: self.faults.clone() }
    }

    /// Tells what is wrong with schemes that count and cannot be read any more: who asks for them has
    /// a fault.
    #[must_use]
    pub fn with_faults(mut self, faults: BTreeMap<String, Vec<Flaw>>) -> Self {
        self.faults = faults;
        self
    }

    /// Schemes that count and cannot be read any more, with what is wrong with them.
    #[must_use]
    pub fn faults(&self) -> &BTreeMap<String, Vec<Flaw>> {
        &self.faults
    }

    /// A scheme in a version, the present one or a former.
    #[must_use]
    pub fn version(&self, name: &str, version: u32) -> Option<&Scheme> {
        let present = self.get(name).filter(|scheme| scheme.version == version);
        present.or_else(|| self.former.get(&(name.to_owned(), version)).map(Arc::as_ref))
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
                Err(found) => faults.extend(found.iter().map(|flaw| format!("{place}:{flaw}"))),
            }
        }
        if faults.is_empty() { Ok(Self::new(schemes)) } else { Err(faults) }
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Scheme> {
        self.by_name.get(name).map(Arc::as_ref)
    }

    /// The scheme as it counts at an instant: the newest version that has begun by then. Those before it
    /// count again when a later one was published for the future.
    #[must_use]
    pub fn at(&self, name: &str, at: DateTime<Utc>) -> Option<&Scheme> {
        let has_begun = |scheme: &&Scheme| scheme.valid_from.is_none_or(|from| from <= at);
        let present = self.get(name)?;
        if has_begun(&present) {
            return Some(present);
        }
        let before = (name.to_owned(), 0)..(name.to_owned(), present.version);
        let former = self.former.range(before).rev().map(|(_, scheme)| scheme.as_ref());
        former.into_iter().find(has_begun)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Scheme> {
        self.by_name.values().map(Arc::as_ref)
    }

    /// The names of the calendars among them.
    pub(crate) fn calendars(&self) -> impl Iterator<Item = &str> {
        let calendars = self.iter().filter(|scheme| matches!(scheme.kind, SchemeKind::Calendar(_)));
        calendars.map(|scheme| scheme.name.as_str())
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
        match &self.version(name, version)?.kind {
            SchemeKind::Calendar(calendar) => Some(calendar),
            _ => None,
        }
    }

    /// A list scheme, or a tree, as it counts at an instant.
    #[must_use]
    pub fn list(&self, name: &str, at: DateTime<Utc>) -> Option<&Listed> {
        match &self.at(name, at)?.kind {
            SchemeKind::List(listed) => Some(listed),
            _ => None,
        }
    }

    pub(crate) fn cell(&self, name: &str, inputs: &[String], at: DateTime<Utc>) -> Lookup<'_> {
        let Some(SchemeKind::Matrix { inputs: named, table }) =
            self.at(name, at).map(|scheme| &scheme.kind)
        else {
            return Lookup::NoSuchScheme;
        };
        if named.len() != inputs.len() {
            return Lookup::Absent;
        }
        let cell = inputs.iter().try_fold(table, |table, input| table.get(input));
        cell.map_or(Lookup::Absent, Lookup::Found)
    }

    pub(crate) fn entry(&self, name: &str, key: &str, at: DateTime<Utc>) -> Lookup<'_> {
        match self.list(name, at) {
            Some(listed) => listed.get(key, at).map_or(Lookup::Absent, Lookup::Found),
            None => Lookup::NoSuchScheme,
        }
    }

    pub(crate) fn attribute(
        &self,
        name: &str,
        key: &str,
        attribute: &str,
        at: DateTime<Utc>,
    ) -> Lookup<'_> {
        match self.entry(name, key, at) {
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
            self.at(name, scope.now()).map(|scheme| (scheme, &scheme.kind))
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
