//! The incident process with more and with less in its definition.

use anyhow::{Context, Result, ensure};
use engine::Definition;

/// A definition, and the ETag of the one that it takes the place of.
pub struct Variant {
    pub text: String,
    pub base: String,
}

/// Nobody is told, nobody follows, nobody is asked, and who sees a record is said by roles alone.
pub fn plain() -> Result<Variant> {
    let shipped = shipped()?;
    let text = without(&without(shipped, "notify"), "children");
    let roles = "audience: [\"role:agent\", \"role:incident_manager\"]\n";
    let text = without(&text, "audience") + roles;
    Ok(Variant { text, base: digest(shipped)? })
}

/// Whoever reported it is told of what is urgent, and a step needs two votes.
pub fn rich() -> Result<Variant> {
    let shipped = shipped()?;
    let notices = "notify:\n  waits: { on: [held], when: \"record.priority != null && record.priority <= 1 && record.reporter != null\", \
        to: [record.reporter], subject: \"{record.number} waits\", text: \"It waits for {record.hold_reason}.\" }\n";
    let vote = "  in_progress:\n    waive: { to: cancelled, vote: { of: [incident_manager], quorum: \"2\", except: [record.reporter], \
        void_on: [impact, urgency] }, says: waived }\n";
    let text = shipped.replacen("notify:\n", notices, 1).replacen("  in_progress:\n", vote, 1);
    ensure!(
        text.contains(notices) && text.contains(vote),
        "the shipped definition reads otherwise"
    );
    Ok(Variant { text, base: digest(&plain()?.text)? })
}

fn shipped() -> Result<&'static str> {
    let found = incident::DEFINITIONS.iter().find(|(name, _)| *name == "incident.v1.yaml");
    found.map(|(_, text)| *text).context("incidents")
}

fn digest(text: &str) -> Result<String> {
    let definition = Definition::parse(text, 1);
    let definition = definition.map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    Ok(definition.digest.clone())
}

/// A text without one of its outermost entries.
fn without(text: &str, entry: &str) -> String {
    let head = format!("{entry}:");
    let mut is_left_out = false;
    text.split_inclusive('\n')
        .filter(|line| {
            if !line.starts_with([' ', '#', '\n']) {
                is_left_out = line.starts_with(&head);
            }
            !is_left_out
        })
        .collect()
}
