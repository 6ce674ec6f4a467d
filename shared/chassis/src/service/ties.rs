//! What a neighbour's event says of ties to records of this service.

use bus::Delivery;
use engine::{Link, Linked, Ruleset};
use kernel::Actor;
use serde::Deserialize;
use store::{Tie, TieSays};

/// The data of an event, as far as ties need it.
#[derive(Deserialize)]
struct Said {
    record: Linked,
    link: Option<Link>,
    unlink: Option<Link>,
    #[serde(default)]
    is_answer: bool,
    actor: Actor,
}

/// The tie that an event tells of, or the end of one, if it is to a record of this service. Only events
/// that say so in their name are read.
pub(super) fn tie_in(rules: &Ruleset, delivery: &Delivery) -> Option<Tie> {
    let kind = delivery.header("ce-type")?;
    if !kind.ends_with(".linked.v1") && !kind.ends_with(".unlinked.v1") {
        return None;
    }
    let said: Said = serde_json::from_slice(delivery.payload()).ok()?;
    let (link, says) = match (said.link, said.unlink, said.is_answer) {
        (Some(link), _, false) => (link, TieSays::Made),
        (Some(link), _, true) => (link, TieSays::Followed),
        (None, Some(link), false) => (link, TieSays::Ended),
        // Our end went first.
        (None, Some(_), true) | (None, None, _) => return None,
    };
    let ours = rules.process(&link.to.process)?;
    let named = rules.by_number(&link.to.number)?;
    if rules.process(&said.record.process).is_some() || named.process != ours.process {
        return None;
    }
    let audience = delivery.envelope().ok()?.audience;
    Some(Tie { from: said.record, audience, link, by: said.actor.reader(), says })
}
