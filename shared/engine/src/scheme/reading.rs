//! A scheme file, read with every fault noted.

use kernel::{Calendar, CalendarSource};
use serde_json::{Map, Value, json};

use super::{SchemeKind, SchemeRule};
use crate::{
    Expression,
    expression::{Kind, Surroundings},
    flaw::Flaws,
    reading::{Entries, entries, expression, items, word},
    yaml::{self, Node, Tree},
};

const KINDS: [&str; 4] = ["matrix", "list", "rules", "calendar"];

/// The name of the scheme and what it says.
pub(super) fn read(text: &str, flaws: &mut Flaws) -> Option<(String, SchemeKind)> {
    let root = yaml::read(text, flaws)?;
    let mut root = Entries::of(&root, "a scheme", flaws)?;
    let name = root.need("scheme", flaws).and_then(|node| word(node, "scheme", flaws));
    let kind = root.need("kind", flaws).and_then(|node| word(node, "kind", flaws))?;
    let read = match kind.text.as_str() {
        "matrix" => {
            let inputs = root.words("inputs", flaws);
            if inputs.is_empty() {
                flaws.add(root.at, "missing", "a matrix names its `inputs`");
            }
            let table = root.need("table", flaws).map(Node::json).unwrap_or_default();
            let inputs = inputs.into_iter().map(|input| input.text).collect();
            Some(SchemeKind::Matrix { inputs, table })
        }
        "list" => {
            let listed = root.get("entries").and_then(|node| entries(node, "`entries`", flaws));
            let listed = listed.unwrap_or_default().iter();
            let listed = listed.map(|entry| (entry.key.clone(), attributes(&entry.value)));
            let entries: Map<String, Value> = listed.collect();
            Some(SchemeKind::List { entries, is_open: root.flag("open", flaws) })
        }
        "rules" => {
            let defaults = fills(root.get("defaults"), flaws);
            let rules = root.get("rules").map_or(&[][..], items);
            let rules = rules.iter().filter_map(|node| rule(node, flaws)).collect();
            Some(SchemeKind::Rules { defaults, rules })
        }
        "calendar" => root
            .need("calendar", flaws)
            .and_then(|node| calendar(node, flaws))
            .map(SchemeKind::Calendar),
        other => {
            let near = flaws.instead(other, KINDS.into_iter());
            flaws.add(kind.at, "unknown_kind", format!("`{other}` is no kind of scheme{near}"));
            return None;
        }
    };
    root.done(flaws);
    Some((name?.text, read?))
}

pub(super) fn is_scheme(text: &str) -> bool {
    let root = yaml::read(text, &mut Flaws::default());
    matches!(root.map(|root| root.tree), Some(Tree::Map(entries))
        if entries.iter().any(|entry| entry.key == "scheme"))
}

/// An entry without attributes may be written as `mail:`.
fn attributes(entry: &Node) -> Value {
    if entry.is_null() { json!({}) } else { entry.json() }
}

fn rule(node: &Node, flaws: &mut Flaws) -> Option<SchemeRule> {
    let mut source = Entries::of(node, "a rule", flaws)?;
    let name = source.need("name", flaws).and_then(|node| word(node, "name", flaws));
    let when = source.need("when", flaws);
    let when = when.and_then(|node| expression(node, &Surroundings::open(), &Kind::Bool, flaws));
    let set = fills(source.get("set"), flaws);
    source.done(flaws);
    Some(SchemeRule { name: name?.text, when: when?, set })
}

fn fills(node: Option<&Node>, flaws: &mut Flaws) -> Vec<(String, Expression)> {
    let Some(node) = node else { return Vec::new() };
    let filled = entries(node, "what is set", flaws).unwrap_or_default().iter();
    let filled = filled.filter_map(|entry| {
        let value = expression(&entry.value, &Surroundings::open(), &Kind::Any, flaws)?;
        Some((entry.key.clone(), value))
    });
    filled.collect()
}

fn calendar(node: &Node, flaws: &mut Flaws) -> Option<Calendar> {
    let source: Result<CalendarSource, _> = serde_json::from_value(node.json());
    match source.map_err(|fault| vec![fault.to_string()]).and_then(Calendar::try_from) {
        Ok(calendar) => Some(calendar),
        Err(faults) => {
            faults.into_iter().for_each(|fault| flaws.add(node.at, "calendar", fault));
            None
        }
    }
}
