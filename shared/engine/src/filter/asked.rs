//! Filters that were asked for before: a list is looked at again and again by the same one, and reading it costs as
//! much as answering it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use kernel::Refusal;

use super::Filter;
use crate::Definition;

/// So many are kept; then all are forgotten.
const MOST: usize = 256;
/// Longer ones are read each time: what is kept stays small.
const LONGEST: usize = 1_000;

/// What was read, by process, version and text.
#[derive(Default)]
pub(crate) struct Asked(Mutex<HashMap<(String, u32, String), Filter>>);

impl Asked {
    /// # Errors
    /// Those of [`Filter::parse`].
    pub(crate) fn read(&self, definition: &Definition, source: &str) -> Result<Filter, Refusal> {
        if source.len() > LONGEST {
            return Filter::parse(definition, source);
        }
        let key = (definition.process.clone(), definition.version, source.to_owned());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let filter = Filter::parse(definition, source)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key, filter.clone());
        Ok(filter)
    }
}
