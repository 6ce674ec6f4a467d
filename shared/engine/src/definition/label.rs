//! How things are called, in the languages of those who read.

use std::{collections::BTreeMap, fmt};

use super::{Part, choice::ValueLabels, known::Known};
use crate::{
    flaw::Flaws,
    reading::{Entries, Word, entries, word},
    yaml::{Entry, Mark, Node, Tree},
};

/// What one thing is called, one text a language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    english: String,
    others: BTreeMap<String, String>,
}

impl Label {
    /// The text in the first of these languages that there is one in; the English one without.
    #[must_use]
    pub fn told(&self, languages: &Languages) -> &str {
        for language in &languages.0 {
            if is_english(language) {
                break;
            }
            let primary = language.split('-').next().unwrap_or_default();
            if let Some(text) = self.others.get(language).or_else(|| self.others.get(primary)) {
                return text;
            }
        }
        &self.english
    }

    #[must_use]
    pub fn english(&self) -> &str {
        &self.english
    }

    /// The languages that it is said in besides English.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.others.keys().map(String::as_str)
    }

    /// What `texts` call it, one a language; without an English one as its name is spoken.
    pub(super) fn said(name: &str, texts: &[(String, String)]) -> Self {
        let mut label = Self { english: spoken(name), others: BTreeMap::new() };
        for (language, text) in texts {
            label.add(language.clone(), text.clone());
        }
        label
    }

    /// The English text, where one is said.
    pub(super) fn say_english(&mut self, text: Option<String>) {
        if let Some(text) = text {
            self.english = text;
        }
    }

    fn add(&mut self, language: String, text: String) {
        if language == ENGLISH {
            self.english = text;
        } else {
            self.others.insert(language, text);
        }
    }
}

/// In English.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

const ENGLISH: &str = "en";

fn is_english(language: &str) -> bool {
    language.split('-').next() == Some(ENGLISH)
}

/// The languages that somebody reads, the best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Languages(Vec<String>);

/// Nobody reads more languages than this.
const LANGUAGE_LIMIT: usize = 10;

impl Languages {
    /// Reads an `Accept-Language` (RFC 9110, 12.5.4); what it does not say is English.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        let mut ranked: Vec<(u32, String)> = header
            .split(',')
            .take(LANGUAGE_LIMIT)
            .filter_map(|part| {
                let (language, quality) = part.split_once(';').unwrap_or((part, "q=1"));
                let quality: f64 = quality.trim().strip_prefix("q=")?.parse().ok()?;
                // Three digits of a number from 0 to 1; what is no such number is nothing.
                let thousandths = (quality.clamp(0.0, 1.0) * 1000.0) as u32;
                (thousandths > 0).then(|| (thousandths, language.trim().to_ascii_lowercase()))
            })
            .collect();
        ranked.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        Self(ranked.into_iter().map(|(_, language)| language).collect())
    }
}

/// What kind of thing a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    State,
    Transition,
    /// Or a part of one.
    Field,
    Role,
    /// An end of a link.
    Link,
}

/// The `labels` of a definition: language by language, kind by kind.
#[derive(Debug, Default)]
pub(super) struct Labels {
    texts: BTreeMap<(Named, String), Vec<(String, String)>>,
    /// Of the values that fields may have.
    pub values: ValueLabels,
}

impl Labels {
    pub fn read(node: &Node, known: &Known, flaws: &mut Flaws) -> Self {
        let mut labels = Self::default();
        for Entry { key, at, value } in entries(node, "`labels`", flaws).unwrap_or_default() {
            let Some(language) = language(key, *at, flaws) else { continue };
            let Some(mut source) = Entries::of(value, "a language", flaws) else { continue };
            for (kind, word) in [
                (Named::State, "states"),
                (Named::Transition, "transitions"),
                (Named::Field, "fields"),
                (Named::Role, "roles"),
                (Named::Link, "links"),
            ] {
                let Some(node) = source.get(word) else { continue };
                labels.read_kind(kind, &language, node, known, flaws);
            }
            if let Some(node) = source.get("values") {
                labels.values.read(&language, node, known, flaws);
            }
            source.done(flaws);
        }
        labels
    }

    fn read_kind(
        &mut self,
        kind: Named,
        language: &str,
        node: &Node,
        known: &Known,
        flaws: &mut Flaws,
    ) {
        for Entry { key, at, value } in entries(node, "labels", flaws).unwrap_or_default() {
            let named = Word { text: key.clone(), at: *at };
            match kind {
                Named::State => known.state(&named, flaws),
                Named::Transition => known.transition(&named, flaws),
                Named::Role => known.role(&named, flaws),
                Named::Field => known.place(&named, flaws),
                Named::Link => known.end(&named, flaws),
            }
            if let Some(text) = word(value, "a label", flaws) {
                let texts = self.texts.entry((kind, key.clone())).or_default();
                texts.push((language.to_owned(), text.text));
            }
        }
    }

    /// What a thing is called: as `inline` says where it stands, as `labels` say, else as its name is
    /// spoken.
    pub fn of(&self, kind: Named, name: &str, inline: Option<&Node>, flaws: &mut Flaws) -> Label {
        let mut label = read(inline, name, flaws);
        for (language, text) in self.texts(kind, name) {
            label.add(language.clone(), text.clone());
        }
        label
    }

    /// What either end calls a link.
    pub fn of_link(&self, name: &str) -> Label {
        Label::said(name, self.texts(Named::Link, name))
    }

    /// What a part of a field is called: as `labels` say, else as its schema does, else as its name is
    /// spoken.
    pub fn of_part(&self, part: &Part) -> Label {
        let mut label = Label::said(part.name(), &[]);
        label.say_english(part.title.clone());
        for (language, text) in self.texts(Named::Field, &part.of) {
            label.add(language.clone(), text.clone());
        }
        label
    }

    fn texts(&self, kind: Named, name: &str) -> &[(String, String)] {
        self.texts.get(&(kind, name.to_owned())).map_or(&[], Vec::as_slice)
    }
}

/// A word for people: one text in English, or one a language.
pub(super) fn read(node: Option<&Node>, name: &str, flaws: &mut Flaws) -> Label {
    let mut label = Label::said(name, &[]);
    let Some(node) = node else { return label };
    let Tree::Map(texts) = &node.tree else {
        let text = word(node, "a label", flaws).map(|word| word.text);
        label.english = text.unwrap_or(label.english);
        return label;
    };
    for Entry { key, at, value } in texts {
        let language = language(key, *at, flaws);
        if let (Some(language), Some(text)) = (language, word(value, "a label", flaws)) {
            label.add(language, text.text);
        }
    }
    label
}

/// `de` or `de-ch`.
fn language(key: &str, at: Mark, flaws: &mut Flaws) -> Option<String> {
    let mut parts = key.split('-');
    let is_primary = parts.next().is_some_and(|part| {
        (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    let is_tag = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if !is_primary || !parts.all(is_tag) {
        let message = format!("`{key}` is no language, such as `en` or `de-CH`");
        flaws.add(at, "language", message);
        return None;
    }
    Some(key.to_ascii_lowercase())
}

/// `in_progress` as people say it: `In progress`.
fn spoken(name: &str) -> String {
    let mut spoken = name.replace('_', " ");
    if let Some(first) = spoken.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    spoken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_told_in_the_best_language_that_there_is() {
        let others = [("de".to_owned(), "Änderung".to_owned()), ("fr".to_owned(), "x".to_owned())];
        let label = Label { english: "Change".to_owned(), others: others.into() };
        let check = |header, expected| {
            assert_eq!(label.told(&Languages::accepted(header)), expected, "{header}");
        };
        check("", "Change");
        check("de", "Änderung");
        check("de-CH, fr;q=0.9", "Änderung");
        check("it, de;q=0.5, en;q=0.8", "Change");
        check("en-GB, de", "Change");
        check("nl, fr;q=0.2, de;q=0.7", "Änderung");
        check("de;q=0", "Change");
        check("*, de;q=zero", "Change");
    }
}
