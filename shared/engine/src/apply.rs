//! What a fact makes of a record.

use serde_json::{Map, Value};

use crate::{Fact, Links, Record};

/// The record after `fact`; of no record, the fact that opens one makes it.
///
/// Total: a fact that does not open makes nothing of no record, so an empty record under the nil id
/// comes back, which no history of [`crate::decide`] contains.
#[must_use]
pub fn apply(record: Option<Record>, fact: &Fact) -> Record {
    let mut record = record.unwrap_or_else(|| blank(fact));
    for (field, (_, new)) in &fact.changes {
        if new.is_null() {
            record.data.remove(field);
        } else {
            record.data.insert(field.clone(), new.clone());
        }
    }
    follow(record, fact)
}

/// The same where the data after the fact is at hand.
pub(crate) fn with_data(record: Option<&Record>, fact: &Fact, data: Map<String, Value>) -> Record {
    let record = match record {
        Some(record) => record.with_data(data),
        None => Record { data, ..blank(fact) },
    };
    follow(record, fact)
}

/// What a fact makes of all but the data.
fn follow(mut record: Record, fact: &Fact) -> Record {
    record.revision += 1;
    // What is recorded late may have happened before the last change.
    record.updated_at = record.updated_at.max(fact.at);
    if let Some(migration) = &fact.migration {
        record.definition = migration.to;
    }
    if let Some(to) = &fact.to {
        if *to != record.state {
            // Another version's name for where it stands is no new visit.
            if fact.migration.is_none() {
                record.entered_at = fact.at;
            }
            record.state.clone_from(to);
        }
        record.closed_at = fact.is_final.then_some(fact.at);
    }
    record.links.follow(fact);
    if let Some(audience) = &fact.audience {
        record.audience.clone_from(audience);
    }
    record
}

fn blank(fact: &Fact) -> Record {
    let opened = fact.opened.as_ref();
    Record {
        id: opened.map(|opened| opened.id).unwrap_or_default(),
        process: opened.map(|opened| opened.process.clone()).unwrap_or_default(),
        number: opened.map(|opened| opened.number.clone()).unwrap_or_default(),
        definition: opened.map(|opened| opened.definition).unwrap_or_default(),
        state: String::new(),
        revision: 0,
        data: Map::new(),
        audience: Vec::new(),
        opened_at: fact.at,
        updated_at: fact.at,
        entered_at: fact.at,
        closed_at: None,
        opened_by: opened.map(|opened| opened.by.clone()).unwrap_or_default(),
        links: Links::default(),
    }
}
