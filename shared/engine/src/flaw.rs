//! What is wrong with a definition: where, which, and what was perhaps meant.

use std::fmt;

use serde::Serialize;

use crate::yaml::Mark;

/// One fault of a file that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Flaw {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// Stable, for programs: `unknown_state`, `unreachable`, `expression` …
    pub code: &'static str,
    /// A sentence for a person.
    pub message: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// A list of names longer than this is not read by anybody.
const NAMES_SHOWN: usize = 12;
/// More flaws than this help nobody; the rest is only counted.
const FLAW_LIMIT: usize = 200;

/// All flaws found so far.
#[derive(Debug, Default)]
pub(crate) struct Flaws {
    found: Vec<Flaw>,
    more: usize,
}

impl Flaws {
    pub fn add(&mut self, at: Mark, code: &'static str, message: impl Into<String>) {
        let flaw = Flaw { line: at.line, column: at.column, code, message: message.into() };
        if self.found.contains(&flaw) {
            // A transition of several states is read once for each.
        } else if self.found.len() < FLAW_LIMIT {
            self.found.push(flaw);
        } else {
            self.more += 1;
        }
    }

    /// `; did you mean …?` where one of the names is near, else what there is. What is not shown is
    /// not searched either: a hostile file has a hundred thousand names that nobody knows.
    pub fn instead<'a>(&self, name: &str, known: impl Iterator<Item = &'a str>) -> String {
        if self.found.len() < FLAW_LIMIT { instead(name, known) } else { String::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them in the order of the file.
    pub fn into_vec(mut self) -> Vec<Flaw> {
        self.found.sort();
        if let (Some(last), true) = (self.found.last(), self.more > 0) {
            let message = format!("there are {} more faults than are shown", self.more);
            let more = Flaw { code: "more", message, ..last.clone() };
            self.found.push(more);
        }
        self.found
    }
}

/// `; did you mean …?` where one of the names is near, else what there is.
pub(crate) fn instead<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.collect();
    if let Some(near) = nearest(name, &known) {
        return format!("; did you mean `{near}`?");
    }
    known.sort_unstable();
    known.dedup();
    match known.as_slice() {
        [] => String::new(),
        few if few.len() <= NAMES_SHOWN => format!("; there is {}", few.join(", ")),
        _ => String::new(),
    }
}

/// The name that differs by the fewest slips, if two thirds of its letters are right.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let length = name.chars().count();
    let is_near = |slips: usize| slips < length && slips <= length.div_ceil(3).min(4);
    let ranked = known.iter().map(|known| (slips(name, known), *known));
    ranked.filter(|(slips, _)| is_near(*slips)).min().map(|(_, known)| known)
}

/// How many letters are left out, put in, wrong, or swapped with their neighbour.
fn slips(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().abs_diff(right.len()) > 4 || left.len() > 64 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, one) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in right.iter().enumerate() {
            let replaced = row[j] + usize::from(one != other);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            let is_swapped =
                i > 0 && j > 0 && left[i - 1] == *other && right[j - 1] == *one && one != other;
            if is_swapped {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_near_name_is_found_and_a_far_one_is_not() {
        let check = |name, expected| {
            assert_eq!(nearest(name, &["approval", "assessment", "draft"]), expected, "{name}");
        };
        check("aproval", Some("approval"));
        check("darft", Some("draft"));
        check("assesment", Some("assessment"));
        check("closed", None);
        check("", None);
    }

    #[test]
    fn without_a_near_name_all_are_told() {
        assert_eq!(instead("x", ["b", "a"].into_iter()), "; there is a, b");
        assert_eq!(instead("aa", ["ab", "b"].into_iter()), "; did you mean `ab`?");
    }
}
