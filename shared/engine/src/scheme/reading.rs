//! A scheme file, read with every fault noted.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use kernel::{Calendar, CalendarSource};

use super::{SchemeKind, SchemeRule, branches};
use crate::{
    Expression,
    expression::{Kind, Surroundings},
    flaw::Flaws,
    reading::{Entries, Word, entries, expression, items, word},
    yaml::{self, Node, Tree},
};

const KINDS: [&str; 5] = ["matrix", "list", "tree", "rules", "calendar"];

/// What a scheme file says.
pub(super) struct Read {
    pub name: String,
    pub valid_from: Option<DateTime<Utc>>,
    pub kind: SchemeKind,
}

pub(super) fn read(text: &str, flaws: &mut Flaws) -> Option<Read> {
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
        "list" | "tree" => {
            let is_open = root.flag("open", flaws);
            let listed = root.get("entries").and_then(|node| entries(node, "`entries`", flaws));
            let listed = listed.unwrap_or_default();
            Some(SchemeKind::List(branches::read(listed, is_open, kind.text == "tree", flaws)))
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
    let valid_from = root.get("valid_from");
    if let (Some(node), "calendar") = (valid_from, kind.text.as_str()) {
        let message = "a calendar says of each day what it is: give its holidays their dates";
        flaws.add(node.at, "dates", message);
    }
    let valid_from = valid_from.and_then(|node| instant(node, "valid_from", flaws));
    root.done(flaws);
    Some(Read { name: name?.text, valid_from, kind: read? })
}

pub(super) fn is_scheme(text: &str) -> bool {
    let root = yaml::read(text, &mut Flaws::default());
    matches!(root.map(|root| root.tree), Some(Tree::Map(entries))
        if entries.iter().any(|entry| entry.key == "scheme"))
}

/// An instant, or a date, which stands for its beginning in UTC.
pub(super) fn instant(node: &Node, what: &str, flaws: &mut Flaws) -> Option<DateTime<Utc>> {
    let Word { text, at } = word(node, what, flaws)?;
    let date =
        |text: &str| Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc());
    let read = text.parse().ok().or_else(|| date(&text));
    if read.is_none() {
        let message = format!(
            "`{what}` is an instant or a date such as 2026-07-01T06:00:00Z or 2026-07-01, not `{text}`"
        );
        flaws.add(at, "dates", message);
    }
    read
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
