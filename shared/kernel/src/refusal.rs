//! How a rule says no: a value with a stable code, worded for the person, with all faults at once.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// Which kind of rule said no; it decides the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The body does not fit the schema, or evidence that the transition needs is missing: 422.
    Invalid,
    /// The actor lacks the role: 403.
    Role,
    /// The record's state does not offer this: 409.
    State,
    /// A guard of the definition is not satisfied: 409.
    Guard,
}

/// One fault: where, which, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer to the value at fault, `""` for the whole.
    pub path: String,
    /// Stable, for programs: `required`, `unknown_field`, `type`, `role`, `not_offered`, `guard` …
    pub code: Cow<'static, str>,
    /// A sentence for a person.
    pub message: String,
}

impl Fault {
    pub fn new(
        path: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), code: code.into(), message: message.into() }
    }
}

/// A command that a rule refuses, with every fault found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub rule: Rule,
    pub faults: Vec<Fault>,
}

impl Refusal {
    #[must_use]
    pub fn new(rule: Rule, faults: Vec<Fault>) -> Self {
        Self { rule, faults }
    }

    /// A refusal with one fault.
    pub fn one(
        rule: Rule,
        path: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(rule, vec![Fault::new(path, code, message)])
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.faults.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            f.write_str(&fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
