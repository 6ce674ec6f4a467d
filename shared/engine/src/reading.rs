//! A map as its reader asks for it: key by key, and what nobody asked for is told.

use crate::{
    Expression,
    expression::{Kind, Surroundings},
    flaw::{Flaws, instead},
    yaml::{Entry, Mark, Node, Tree},
};

/// A word with its place.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub text: String,
    pub at: Mark,
}

/// The entries of a map, being read.
pub(crate) struct Entries<'a> {
    pub at: Mark,
    entries: &'a [Entry],
    asked: Vec<&'static str>,
}

impl<'a> Entries<'a> {
    /// A flaw where the node is no map; `what` is what it should say.
    pub fn of(node: &'a Node, what: &str, flaws: &mut Flaws) -> Option<Self> {
        let entries = entries(node, what, flaws)?;
        Some(Self { at: node.at, entries, asked: Vec::new() })
    }

    /// The value of a key; what is null is not there.
    pub fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    /// The value of a key that must be there.
    pub fn need(&mut self, key: &'static str, flaws: &mut Flaws) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            flaws.add(self.at, "missing", format!("`{key}` is missing"));
        }
        found
    }

    pub fn text(&mut self, key: &'static str, flaws: &mut Flaws) -> Option<String> {
        self.word(key, flaws).map(|word| word.text)
    }

    pub fn word(&mut self, key: &'static str, flaws: &mut Flaws) -> Option<Word> {
        word(self.get(key)?, key, flaws)
    }

    /// The words of a list; one that stands alone is a list of itself.
    pub fn words(&mut self, key: &'static str, flaws: &mut Flaws) -> Vec<Word> {
        self.get(key).map_or_else(Vec::new, |node| words(node, key, flaws))
    }

    pub fn flag(&mut self, key: &'static str, flaws: &mut Flaws) -> bool {
        let Some(node) = self.get(key) else { return false };
        match node.json() {
            serde_json::Value::Bool(flag) => flag,
            _ => {
                let message = format!("`{key}` is true or false, not {}", node.kind());
                flaws.add(node.at, "type", message);
                false
            }
        }
    }

    /// Tells every key that was not asked for.
    pub fn done(self, flaws: &mut Flaws) {
        for entry in self.entries {
            if !self.asked.contains(&entry.key.as_str()) {
                let near = flaws.instead(&entry.key, self.asked.iter().copied());
                let message = format!("`{}` means nothing here{near}", entry.key);
                flaws.add(entry.at, "unknown_key", message);
            }
        }
    }
}

/// The entries of a map whose keys are names of the author's.
pub(crate) fn entries<'a>(node: &'a Node, what: &str, flaws: &mut Flaws) -> Option<&'a [Entry]> {
    match &node.tree {
        Tree::Map(entries) => Some(entries),
        _ if node.is_null() => Some(&[]),
        _ => {
            flaws.add(node.at, "type", format!("{what} is a map, not {}", node.kind()));
            None
        }
    }
}

/// The items of a list; what stands alone is a list of itself.
pub(crate) fn items(node: &Node) -> &[Node] {
    match &node.tree {
        Tree::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

pub(crate) fn word(node: &Node, what: &str, flaws: &mut Flaws) -> Option<Word> {
    match &node.tree {
        Tree::Scalar { text, .. } if !node.is_null() => {
            Some(Word { text: text.clone(), at: node.at })
        }
        _ => {
            flaws.add(node.at, "type", format!("`{what}` is one text, not {}", node.kind()));
            None
        }
    }
}

pub(crate) fn words(node: &Node, what: &str, flaws: &mut Flaws) -> Vec<Word> {
    items(node).iter().filter_map(|item| word(item, what, flaws)).collect()
}

/// A condition: what does not hold is no.
pub(crate) fn condition(
    node: Option<&Node>,
    scope: &Surroundings,
    flaws: &mut Flaws,
) -> Option<Expression> {
    expression(node?, scope, &Kind::Bool, flaws)
}

/// An expression that gives what is wanted.
pub(crate) fn expression(
    node: &Node,
    scope: &Surroundings,
    wanted: &Kind,
    flaws: &mut Flaws,
) -> Option<Expression> {
    let source = word(node, "an expression", flaws)?.text;
    let (expression, kind) = match Expression::checked(&source, scope) {
        Ok(read) => read,
        Err(faults) => {
            for fault in faults {
                let at = place(node, &source, fault.offset);
                let whole = shortened(&source);
                flaws.add(at, "expression", format!("{} (in `{whole}`)", fault.message));
            }
            return None;
        }
    };
    if let Err(message) = fits(&kind, wanted) {
        flaws.add(node.at, "kind", format!("`{source}` gives {kind}, {message}"));
        return None;
    }
    Some(expression.placed(node.at))
}

/// An expression that stands within a text: its faults are told where that begins.
pub(crate) fn expression_at(
    source: &str,
    at: Mark,
    scope: &Surroundings,
    flaws: &mut Flaws,
) -> Option<Expression> {
    match Expression::checked(source, scope) {
        Ok((expression, _)) => Some(expression.placed(at)),
        Err(faults) => {
            for fault in faults {
                let whole = shortened(source);
                flaws.add(at, "expression", format!("{} (in `{whole}`)", fault.message));
            }
            None
        }
    }
}

/// The beginning of what is too long to be read beside a message.
fn shortened(source: &str) -> String {
    match source.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &source[..end]),
        None => source.to_owned(),
    }
}

/// Where a part of an expression stands in the file, as near as can be told.
fn place(node: &Node, source: &str, offset: usize) -> Mark {
    let Tree::Scalar { begins: Some(begins), .. } = &node.tree else { return node.at };
    let before = source.get(..offset).map_or(0, |before| before.chars().count());
    let column = begins.column.saturating_add(u32::try_from(before).unwrap_or_default());
    Mark { column, ..*begins }
}

fn fits(found: &Kind, wanted: &Kind) -> Result<(), String> {
    // An instant or a duration is kept as text.
    let as_text = matches!((found, wanted), (Kind::Instant | Kind::Duration, Kind::Text(None)));
    if !as_text && !found.may_be(wanted) {
        return Err(format!("and {wanted} is wanted"));
    }
    if let (Kind::Text(Some(found)), Kind::Text(Some(wanted))) = (found, wanted)
        && let Some(stray) = found.iter().find(|word| !wanted.contains(word))
    {
        let near = instead(stray, wanted.iter().map(String::as_str));
        return Err(format!("and `{stray}` is no value of the field{near}"));
    }
    Ok(())
}
