//! What follows a parent: the same comment, and steps of its own after those of its parent.

use super::known::Known;
use crate::{
    Expression,
    flaw::Flaws,
    reading::{Entries, Word, condition, entries, word},
    yaml::{Mark, Node},
};

/// `children: { tied: parent_of, comments: true, follow: { resolve: { take: follow } } }`
#[derive(Debug)]
pub(crate) struct Children {
    /// How a parent calls the link to its children.
    pub tied: String,
    /// Whether they follow at all, as the parent says.
    pub when: Option<Expression>,
    /// Whether what is said of the parent is said of each child.
    pub comments: bool,
    pub follow: Vec<Follow>,
}

/// The step of a child after one of its parent.
#[derive(Debug)]
pub(crate) struct Follow {
    /// The parent's transition.
    pub after: String,
    /// The child's.
    pub take: String,
    /// Fields that it is given as the parent has them.
    pub with: Vec<String>,
    pub(super) place: Mark,
}

impl Children {
    pub(super) fn read(node: &Node, known: &Known, flaws: &mut Flaws) -> Option<Self> {
        let mut source = Entries::of(node, "`children`", flaws)?;
        let tied = source.need("tied", flaws);
        let tied = tied.and_then(|node| word(node, "tied", flaws));
        tied.iter().for_each(|name| known.end(name, flaws));
        let when = condition(source.get("when"), &known.over_record(), flaws);
        let comments = source.flag("comments", flaws);
        let follow = source.get("follow");
        let follow = follow.map(|node| follow_all(node, known, flaws)).unwrap_or_default();
        source.done(flaws);
        Some(Self { tied: tied?.text, when, comments, follow })
    }
}

fn follow_all(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<Follow> {
    let mut follow = Vec::new();
    for entry in entries(node, "`follow`", flaws).unwrap_or_default() {
        let after = Word { text: entry.key.clone(), at: entry.at };
        known.transition(&after, flaws);
        let Some(mut source) = Entries::of(&entry.value, "what follows", flaws) else { continue };
        let take = source.need("take", flaws);
        let take = take.and_then(|node| word(node, "take", flaws));
        take.iter().for_each(|name| known.transition(name, flaws));
        let with = source.words("with", flaws);
        for field in &with {
            known.filled(field, flaws);
        }
        source.done(flaws);
        let with = with.into_iter().map(|field| field.text).collect();
        let after = after.text;
        follow.extend(take.map(|take| Follow { after, take: take.text, with, place: entry.at }));
    }
    follow
}
