//! Where a record's history shows what shall be erased.

use engine::{Command, Erasure, Record, Subject};
use kernel::{Cause, Refusal, Rule};
use serde_json::Value;

use super::{Batch, Stop, act::guarded, stage::Stage};
use crate::{row::Kept, verify::is_erasure};

impl Batch<'_> {
    /// The erasure with every revision that shows one of its fields. What the bus does not have yet
    /// cannot be erased: whoever hears of the record would miss that it happened.
    pub(super) async fn completed(
        &mut self,
        stage: &Stage,
        record: &Record,
        wish: &Erasure,
        cause: &Cause,
    ) -> Result<Erasure, Stop> {
        // Whoever may not, or asks for what is not there, learns nothing of what is on its way.
        let (rules, asked) = (&self.law.rules, Command::Erase(wish.clone()));
        guarded(|| engine::decide(rules, Subject::Existing(record), &asked, cause))??;
        let is_new = stage.record(record.id).is_some()
            || self.overlay.journal.iter().any(|row| row.record.id == record.id);
        let entries = self.tx.entries(record.id).await?;
        let chosen = entries.iter().filter(|entry| {
            entry.payload.as_ref().is_some_and(|payload| {
                wish.revisions.contains(&entry.revision) || shows(payload, &wish.fields)
            })
        });
        let chosen: Vec<&Kept> = chosen.collect();
        if is_new || chosen.iter().any(|entry| !entry.is_told) {
            let message = "part of it is still on its way to the message bus; try again";
            return Err(Refusal::one(Rule::State, "", "untold", message).into());
        }
        let named = |entry: &&&Kept| wish.revisions.contains(&entry.revision);
        if chosen.iter().filter(named).any(|entry| is_erasure(&entry.event_type)) {
            let message = "that something was erased, by whom and why, is not erased";
            return Err(Refusal::one(Rule::Invalid, "/revisions", "erasure", message).into());
        }
        let revisions = chosen.iter().map(|entry| entry.revision).collect();
        Ok(Erasure { revisions, ..wish.clone() })
    }
}

/// Whether a payload tells anything of a field.
fn shows(payload: &[u8], fields: &[String]) -> bool {
    // What cannot be read is not known not to show it.
    let Ok(payload) = serde_json::from_slice::<Value>(payload) else { return true };
    let told = |part: &str, field: &str| {
        payload.pointer(part).and_then(|part| part.get(field)).is_some_and(|value| !value.is_null())
    };
    fields.iter().any(|field| told("/record/data", field) || told("/changes", field))
}
