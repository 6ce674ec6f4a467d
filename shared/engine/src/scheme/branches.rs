//! The entries of a list or a tree, read with every fault noted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Dates, Listed, reading::instant};
use crate::{
    flaw::Flaws,
    reading::{Word, word},
    yaml::{Entry, Node, Tree},
};

/// Deeper trees are found by nobody.
const DEPTH_LIMIT: usize = 16;

pub(super) fn read(entries: &[Entry], is_open: bool, is_tree: bool, flaws: &mut Flaws) -> Listed {
    let mut listed = Listed { is_open, ..Listed::default() };
    let mut above = BTreeMap::new();
    for Entry { key, value, .. } in entries {
        if let Some(dates) = dates(value, flaws) {
            listed.dates.insert(key.clone(), dates);
        }
        if is_tree && let Some(node) = part(value, "under") {
            above.extend(word(node, "under", flaws).map(|word| (key.clone(), word)));
        }
        listed.entries.insert(key.clone(), attributes(value));
    }
    if is_tree {
        check(&above, &listed.entries, flaws);
        listed.above = Some(above.into_iter().map(|(key, word)| (key, word.text)).collect());
    }
    listed
}

/// An entry without attributes may be written as `mail:`.
fn attributes(entry: &Node) -> Value {
    if entry.is_null() { json!({}) } else { entry.json() }
}

fn part<'a>(entry: &'a Node, key: &str) -> Option<&'a Node> {
    let Tree::Map(parts) = &entry.tree else { return None };
    parts.iter().find(|part| part.key == key).map(|part| &part.value)
}

fn dates(entry: &Node, flaws: &mut Flaws) -> Option<Dates> {
    let (from, to) = (part(entry, "valid_from"), part(entry, "valid_to"));
    let at = to.or(from)?.at;
    let from = from.and_then(|node| instant(node, "valid_from", flaws));
    let to = to.and_then(|node| instant(node, "valid_to", flaws));
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        flaws.add(at, "dates", format!("it never counts: it ends at {to} and begins at {from}"));
    }
    Some(Dates { from, to })
}

/// Every branch hangs on an entry that there is, and none on itself.
fn check(above: &BTreeMap<String, Word>, entries: &Map<String, Value>, flaws: &mut Flaws) {
    for (key, Word { text, at }) in above {
        if !entries.contains_key(text) {
            let near = flaws.instead(text, entries.keys().map(String::as_str));
            flaws.add(*at, "unknown_entry", format!("`{text}` is no entry of the tree{near}"));
        }
        let up = |key: &String| above.get(key).map(|word| &word.text);
        let path = std::iter::successors(up(key), |key| up(key)).take(DEPTH_LIMIT);
        let path: Vec<&String> = path.collect();
        if path.contains(&key) {
            flaws.add(*at, "ring", format!("`{key}` is under itself by way of `{text}`"));
        } else if path.iter().collect::<BTreeSet<_>>().len() == DEPTH_LIMIT {
            flaws.add(*at, "too_large", format!("`{key}` lies {DEPTH_LIMIT} entries deep or more"));
        }
    }
}
