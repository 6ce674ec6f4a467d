//! Who may change which field in which state, where that is not the same everywhere.

use super::known::{Known, names};
use crate::{
    flaw::Flaws,
    reading::{Entries, Word, entries},
    yaml::{Mark, Node},
};

/// A rule for some fields: `plan, backout: { in: [draft], by: [requester] }`.
#[derive(Debug)]
pub(crate) struct Edit {
    pub fields: Vec<String>,
    /// Roles; those of `may.amend` where nobody is named.
    pub by: Option<Vec<String>>,
    /// States; all that are not final where none is named.
    pub within: Option<Vec<String>>,
}

impl Edit {
    pub(super) fn read_all(node: &Node, known: &Known, flaws: &mut Flaws) -> Vec<Self> {
        let mut edits: Vec<Self> = Vec::new();
        for entry in entries(node, "`edit`", flaws).unwrap_or_default() {
            let Some(mut source) = Entries::of(&entry.value, "a rule of `edit`", flaws) else {
                continue;
            };
            let fields: Vec<String> = names(&entry.key).map(str::to_owned).collect();
            for name in &fields {
                one_field(name, entry.at, &edits, known, flaws);
            }
            let by = source.get("by").map(|_| source.words("by", flaws));
            by.iter().flatten().for_each(|role| known.role(role, flaws));
            let within = source.get("in").map(|_| source.words("in", flaws));
            within.iter().flatten().for_each(|state| known.state(state, flaws));
            source.done(flaws);
            let texts = |words: Vec<Word>| words.into_iter().map(|word| word.text).collect();
            edits.push(Self { fields, by: by.map(texts), within: within.map(texts) });
        }
        edits
    }
}

fn one_field(name: &str, at: Mark, before: &[Edit], known: &Known, flaws: &mut Flaws) {
    let field = known.filled(&Word { text: name.to_owned(), at }, flaws);
    if field.is_some_and(|field| field.read_only) {
        let message = format!("`{name}` is readOnly: people do not change it");
        flaws.add(at, "edit", message);
    }
    if before.iter().any(|edit| edit.fields.iter().any(|field| field == name)) {
        flaws.add(at, "duplicate", format!("`{name}` has a rule already"));
    }
}
