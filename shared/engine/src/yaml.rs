//! YAML as a tree whose every node knows its place, read within bounds.

use std::{borrow::Cow, collections::HashMap};

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use crate::flaw::{Flaw, Flaws};

/// A file may take this many bytes.
const TEXT_LIMIT: usize = 1024 * 1024;
/// A file may hold this many nodes, what aliases repeat counted each time.
const NODE_LIMIT: usize = 100_000;
/// Lists and maps may nest this deep.
const DEPTH_LIMIT: usize = 32;

/// A place in a text, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub line: u32,
    pub column: u32,
}

impl Mark {
    /// Where a whole file is at fault.
    pub const START: Self = Self { line: 1, column: 1 };

    fn of(span: &Span) -> Self {
        Self::at(&span.start)
    }

    fn at(marker: &granit_parser::Marker) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: count(marker.line()), column: count(marker.col()).saturating_add(1) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub at: Mark,
    pub tree: Tree,
}

#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// A quoted one is text; what a plain one is depends on who reads it.
    Scalar {
        text: String,
        is_plain: bool,
        /// Where its first character stands, when it stands in one line as it is.
        begins: Option<Mark>,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: String,
    pub at: Mark,
    pub value: Node,
}

/// Reads one document; what cannot be understood at all gives nothing.
pub(crate) fn read(text: &str, flaws: &mut Flaws) -> Option<Node> {
    if text.len() > TEXT_LIMIT {
        let message = format!("a file of {} bytes exceeds {TEXT_LIMIT}", text.len());
        flaws.add(Mark::START, "too_large", message);
        return None;
    }
    let mut builder = Builder::default();
    let options = granit_parser::options! { emit_comments: false };
    for step in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match step {
            Ok(step) => step,
            Err(fault) => {
                let message = format!("it is no YAML: {}", fault.info());
                flaws.add(Mark::at(fault.marker()), "yaml", message);
                return None;
            }
        };
        if let Err((code, message)) = builder.take(event, &span, flaws) {
            flaws.add(Mark::of(&span), code, message);
            return None;
        }
    }
    if builder.root.is_none() {
        flaws.add(Mark::START, "empty", "there is nothing in the file");
    }
    builder.root
}

/// Why reading stops: a code and a sentence.
type Stop = (&'static str, String);

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    /// What anchors name, with its number of nodes.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

/// A list or map that has begun.
struct Open {
    at: Mark,
    tree: Tree,
    /// Keys that stand already, with their lines.
    keys: HashMap<String, u32>,
    /// The key whose value comes next.
    key: Option<(String, Mark)>,
    anchor: usize,
    nodes_before: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span, flaws: &mut Flaws) -> Result<(), Stop> {
        let at = Mark::of(span);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                return Err(("yaml", "a file holds one document".to_owned()));
            }
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    flaws.add(at, "yaml", "tags are not read: leave it out");
                }
                let is_plain = style == ScalarStyle::Plain;
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let in_one_line = span.start.line() == span.end.line() && !is_block;
                let column = at.column + u32::from(!is_plain);
                let begins = in_one_line.then_some(Mark { column, ..at });
                let tree = Tree::Scalar { text: text.into_owned(), is_plain, begins };
                self.count(1)?;
                self.place(Node { at, tree }, anchor, 1, flaws);
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at, Tree::List(Vec::new()), anchor)?,
            Event::MappingStart(_, anchor, _) => self.begin(at, Tree::Map(Vec::new()), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(done) = self.open.pop() {
                    let nodes = self.nodes - done.nodes_before;
                    let node = Node { at: done.at, tree: done.tree };
                    self.place(node, done.anchor, nodes, flaws);
                }
            }
            Event::Alias(anchor) => {
                let Some((_, nodes)) = self.anchors.get(&anchor) else {
                    return Err(("yaml", "an alias stands within what it names".to_owned()));
                };
                let nodes = *nodes;
                self.count(nodes)?;
                if let Some((node, _)) = self.anchors.get(&anchor) {
                    self.place(node.clone(), 0, nodes, flaws);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize) -> Result<(), Stop> {
        self.nodes += nodes;
        if self.nodes > NODE_LIMIT {
            let message = format!("it holds more than {NODE_LIMIT} values, aliases followed");
            return Err(("too_large", message));
        }
        Ok(())
    }

    fn begin(&mut self, at: Mark, tree: Tree, anchor: usize) -> Result<(), Stop> {
        if self.open.len() == DEPTH_LIMIT {
            return Err(("too_deep", format!("it nests deeper than {DEPTH_LIMIT} levels")));
        }
        let nodes_before = self.nodes;
        self.count(1)?;
        self.open.push(Open { at, tree, keys: HashMap::new(), key: None, anchor, nodes_before });
        Ok(())
    }

    fn place(&mut self, node: Node, anchor: usize, nodes: usize, flaws: &mut Flaws) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match (&mut open.tree, open.key.take()) {
            (Tree::Map(entries), Some((key, at))) => {
                if let Some(line) = open.keys.get(&key) {
                    let message = format!("`{key}` stands twice: it stands in line {line} already");
                    flaws.add(at, "duplicate", message);
                } else {
                    open.keys.insert(key.clone(), at.line);
                    entries.push(Entry { key, at, value: node });
                }
            }
            (Tree::Map(_), None) => {
                let at = node.at;
                let key = match node.tree {
                    Tree::Scalar { text, .. } => text,
                    _ => {
                        flaws.add(at, "yaml", "a key is a word, not a list or a map");
                        String::new()
                    }
                };
                open.key = Some((key, at));
            }
            (Tree::List(items), _) => items.push(node),
            // Only lists and maps begin.
            (Tree::Scalar { .. }, _) => {}
        }
    }
}

/// A YAML file as JSON, for what reads JSON.
///
/// # Errors
/// Every flaw that keeps it from being read.
pub fn yaml_as_json(text: &str) -> Result<Value, Vec<Flaw>> {
    let mut flaws = Flaws::default();
    match read(text, &mut flaws) {
        Some(node) if flaws.is_empty() => Ok(node.json()),
        _ => Err(flaws.into_vec()),
    }
}

impl Node {
    /// Nothing, or what YAML 1.2 reads as null.
    pub fn is_null(&self) -> bool {
        matches!(&self.tree, Tree::Scalar { text, is_plain: true, .. }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The value as JSON, by the core schema of YAML 1.2.
    pub fn json(&self) -> Value {
        match &self.tree {
            Tree::Scalar { text, is_plain: false, .. } => Value::String(text.clone()),
            Tree::Scalar { .. } if self.is_null() => Value::Null,
            Tree::Scalar { text, .. } => plain(text),
            Tree::List(items) => items.iter().map(Self::json).collect(),
            Tree::Map(entries) => {
                let members = entries.iter().map(|entry| (entry.key.clone(), entry.value.json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// What it is, for a sentence.
    pub fn kind(&self) -> Cow<'static, str> {
        match &self.tree {
            Tree::Scalar { .. } if self.is_null() => "nothing".into(),
            Tree::Scalar { text, .. } if text.chars().count() <= 40 => format!("`{text}`").into(),
            Tree::Scalar { .. } => "a text".into(),
            Tree::List(_) => "a list".into(),
            Tree::Map(_) => "a map".into(),
        }
    }
}

fn plain(text: &str) -> Value {
    match text {
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    // `inf` and `nan` are words here, and so is what merely begins like a number.
    let looks_like_a_number =
        text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
    if looks_like_a_number {
        if let Ok(integer) = text.parse::<i64>() {
            return integer.into();
        }
        if let Some(number) = text.parse().ok().and_then(Number::from_f64) {
            return Value::Number(number);
        }
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut flaws = Flaws::default();
        let node = read(text, &mut flaws);
        let told: Vec<_> = flaws.into_vec().iter().map(ToString::to_string).collect();
        let found = match node {
            Some(node) if told.is_empty() => node.json().to_string(),
            _ => told.join("; "),
        };
        assert!(found.contains(expected), "{text}: {found}");
    }

    #[test]
    fn values_are_those_of_yaml_1_2() {
        check(
            "a: [1, -2.5, 'x', ~, true, P2D, 1e3]",
            r#"{"a":[1,-2.5,"x",null,true,"P2D",1000.0]}"#,
        );
        check("a: &x { b: no }\nc: *x", r#"{"a":{"b":"no"},"c":{"b":"no"}}"#);
        check("a: >-\n  one\n  two", r#""one two""#);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        check("a: 1\nb: 2\na: 3\n", "3:1: `a` stands twice: it stands in line 1 already");
        check("a: [1, 2", "it is no YAML");
        check("a: 'x' + y", "1:8: it is no YAML");
        check("a: *nobody", "it is no YAML");
        check("a: 1\n---\nb: 2\n", "one document");
        check("[a, b]: 1", "a key is a word");
        check("", "nothing in the file");
        check(&format!("{}{}", "[".repeat(40), "]".repeat(40)), "deeper than 32");
        check(&format!("a: {}", "x".repeat(TEXT_LIMIT)), "exceeds 1048576");
    }

    #[test]
    fn aliases_are_counted_as_often_as_they_stand() {
        let mut bomb = String::from("k0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let below = format!("*a{}, ", level - 1).repeat(9);
            bomb.push_str(&format!("k{level}: &a{level} [{below}]\n"));
        }
        check(&bomb, "more than 100000 values");
        check("a: &x [*x]", "within what it names");
    }
}
