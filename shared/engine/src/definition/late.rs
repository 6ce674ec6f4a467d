//! How long after it happened a step may be recorded, and by whom.

use kernel::Span;

use super::{known::Known, transition::span};
use crate::{
    flaw::Flaws,
    reading::Entries,
    yaml::{Mark, Node},
};

/// `late: { within: P2D, by: [change_manager] }`
#[derive(Debug)]
pub struct Late {
    pub within: Span,
    pub calendar: Option<String>,
    pub by: Vec<String>,
    pub(super) place: Mark,
}

impl Late {
    pub(super) fn read(node: &Node, known: &Known, flaws: &mut Flaws) -> Option<Self> {
        let mut source = Entries::of(node, "`late`", flaws)?;
        let within = source.need("within", flaws);
        let within = within.and_then(|node| span(node, "within", flaws));
        let calendar = source.text("calendar", flaws);
        let by = source.words("by", flaws);
        by.iter().for_each(|role| known.role(role, flaws));
        if by.is_empty() {
            flaws.add(node.at, "missing", "`by` names the roles that may record late");
        }
        source.done(flaws);
        let by = by.into_iter().map(|role| role.text).collect();
        Some(Self { within: within?, calendar, by, place: node.at })
    }
}
