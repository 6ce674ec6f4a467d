//! What differs between texts, for people: lines, and what the lines say.

use std::ops::Range;

use serde::Serialize;
use serde_json::Value;
use similar::{Algorithm, DiffOp, TextDiff, capture_diff_slices};

/// What is called otherwise, new or gone, by its place in the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `states.review.close.needs`
    pub path: String,
    /// Null where it is new.
    pub was: Value,
    /// Null where it is gone.
    pub is: Value,
}

/// The lines that differ, as patches show them; nothing where the texts are equal.
#[must_use]
pub fn lines(before: (&str, &str), after: (&str, &str)) -> String {
    let ((name, text), (new_name, new_text)) = (before, after);
    let difference = TextDiff::from_lines(text, new_text);
    difference.unified_diff().context_radius(3).header(name, new_name).to_string()
}

/// What two files say differently, in the order of their names. A file that cannot be read says nothing.
#[must_use]
pub fn changes(before: &str, after: &str) -> Vec<Change> {
    let read = |text| engine::yaml_as_json(text).unwrap_or_default();
    let mut found = Vec::new();
    compare(String::new(), &read(before), &read(after), &mut found);
    found
}

fn compare(path: String, was: &Value, is: &Value, found: &mut Vec<Change>) {
    let (Value::Object(old), Value::Object(new)) = (was, is) else {
        if was != is {
            found.push(Change { path, was: was.clone(), is: is.clone() });
        }
        return;
    };
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let side = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
        compare(path, &side(old), &side(new), found);
    }
}

/// Two descendants of one text brought together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Merged {
    /// With what both changed differently between markers, as version control shows it.
    pub text: String,
    pub conflicts: Vec<Conflict>,
}

/// A place that both changed, each in its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Of the merged text, from 1.
    pub line: usize,
    /// `states.review.close`
    pub path: String,
    pub base: String,
    pub local: String,
    pub upstream: String,
}

/// A stretch of the base, and what one side made of it.
struct Hunk {
    base: Range<usize>,
    side: Range<usize>,
}

/// One side: its lines, and where they differ from the base.
struct Side<'a> {
    lines: Vec<&'a str>,
    hunks: Vec<Hunk>,
    /// The hunk that comes next.
    next: usize,
    /// How far this side is ahead of the base.
    ahead: isize,
}

impl<'a> Side<'a> {
    fn of(base: &[&str], text: &'a str) -> Self {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let operations = capture_diff_slices(Algorithm::Patience, base, &lines);
        let changed =
            operations.iter().filter(|operation| !matches!(operation, DiffOp::Equal { .. }));
        let mut hunks: Vec<Hunk> = Vec::new();
        for operation in changed {
            let (base, side) = (operation.old_range(), operation.new_range());
            match hunks.last_mut() {
                Some(last) if last.base.end == base.start && last.side.end == side.start => {
                    last.base.end = base.end;
                    last.side.end = side.end;
                }
                _ => hunks.push(Hunk { base, side }),
            }
        }
        Self { lines, hunks, next: 0, ahead: 0 }
    }

    fn upcoming(&self) -> Option<&Range<usize>> {
        self.hunks.get(self.next).map(|hunk| &hunk.base)
    }

    /// Takes the hunks that touch a stretch of the base; answers how far it reaches with them.
    fn absorb(&mut self, from: usize, mut until: usize) -> usize {
        while let Some(hunk) = self.hunks.get(self.next)
            && hunk.base.start >= from
            && hunk.base.start <= until
        {
            until = until.max(hunk.base.end);
            self.next += 1;
        }
        until
    }

    /// What this side has for a stretch of the base whose hunks are taken.
    fn stretch(&mut self, base: &Range<usize>) -> String {
        let taken = &self.hunks[..self.next];
        let start = base.start.checked_add_signed(self.ahead).unwrap_or_default();
        self.ahead = taken
            .last()
            .map_or(0, |last| last.side.end.cast_signed() - last.base.end.cast_signed());
        let end = base.end.checked_add_signed(self.ahead).unwrap_or_default();
        self.lines.get(start..end).unwrap_or_default().concat()
    }
}

/// Brings together what both sides made of `base`: what one of them changed is taken, and so is what
/// both changed alike. Changes that touch each other are told, because they may well belong together.
#[must_use]
pub fn merge(base: &str, local: &str, upstream: &str) -> Merged {
    let lines: Vec<&str> = base.split_inclusive('\n').collect();
    let (mut ours, mut theirs) = (Side::of(&lines, local), Side::of(&lines, upstream));
    let mut merged = Merged { text: String::new(), conflicts: Vec::new() };
    let mut at = 0;
    loop {
        let upcoming = [ours.upcoming(), theirs.upcoming()].into_iter().flatten();
        let Some(start) = upcoming.map(|range| range.start).min() else { break };
        merged.text.push_str(&lines[at..start].concat());
        let (mut end, mut known) = (start, None);
        while known != Some(end) {
            known = Some(end);
            end = ours.absorb(start, end);
            end = theirs.absorb(start, end);
        }
        let stretch = start..end;
        let (old, mine, new) =
            (lines[start..end].concat(), ours.stretch(&stretch), theirs.stretch(&stretch));
        if mine == new || new == old {
            merged.text.push_str(&mine);
        } else if mine == old {
            merged.text.push_str(&new);
        } else {
            let line = merged.text.lines().count() + 1;
            let path = path_of(&merged.text, mine.lines().next().unwrap_or_default());
            merged.text.push_str(&format!(
                "<<<<<<< local\n{mine}||||||| base\n{old}=======\n{new}>>>>>>> upstream\n"
            ));
            let (base, local, upstream) = (old, mine, new);
            merged.conflicts.push(Conflict { line, path, base, local, upstream });
        }
        at = end;
    }
    merged.text.push_str(&lines[at..].concat());
    merged
}

/// Where a line stands among the keys of the lines before it.
fn path_of(before: &str, line: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let key = |line: &str| {
        let key = line.trim_start().split(':').next().unwrap_or_default().trim();
        let is_key = line.contains(':') && !key.starts_with(['#', '-', '<', '>', '|', '=']);
        is_key.then(|| key.to_owned())
    };
    let mut keys: Vec<String> = key(line).into_iter().collect();
    let mut depth = indent(line);
    for above in before.lines().rev().filter(|above| !above.trim().is_empty()) {
        if depth == 0 {
            break;
        }
        if indent(above) < depth
            && let Some(key) = key(above)
        {
            depth = indent(above);
            keys.push(key);
        }
    }
    keys.reverse();
    keys.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "states:\n  open:\n    give: { to: gone }\n    keep: { to: kept }\n  gone: {}\n  kept: {}\n";

    #[test]
    fn what_one_side_changed_is_taken() {
        let local = BASE.replace("give:", "hand_over:");
        let upstream = BASE.replace("  kept: {}\n", "  kept: {}\n  lost: {}\n");
        let merged = merge(BASE, &local, &upstream);
        assert!(merged.conflicts.is_empty(), "{merged:?}");
        assert!(merged.text.contains("hand_over") && merged.text.ends_with("  lost: {}\n"));
        assert_eq!(merge(BASE, &local, BASE).text, local);
        assert_eq!(merge(BASE, BASE, &upstream).text, upstream);
        assert_eq!(merge(BASE, &local, &local).text, local);
    }

    #[test]
    fn what_both_changed_is_told_with_its_place() {
        let local = BASE.replace("give: { to: gone }", "give: { to: kept }");
        let upstream = BASE.replace("give: { to: gone }", "give: { to: gone, by: [clerk] }");
        let merged = merge(BASE, &local, &upstream);
        let [conflict] = merged.conflicts.as_slice() else { panic!("{merged:?}") };
        assert_eq!((conflict.line, conflict.path.as_str()), (3, "states.open.give"));
        assert_eq!(conflict.local, "    give: { to: kept }\n");
        assert_eq!(conflict.upstream, "    give: { to: gone, by: [clerk] }\n");
        let marked = "  open:\n<<<<<<< local\n    give: { to: kept }\n||||||| base\n    give: { to: gone }\n=======\n";
        assert!(merged.text.contains(marked), "{}", merged.text);
        assert!(merged.text.ends_with("  gone: {}\n  kept: {}\n"));
    }

    #[test]
    fn changes_are_told_by_their_path() {
        let after = BASE.replace("to: kept", "to: gone").replace("  kept: {}\n", "");
        let told: Vec<_> = changes(BASE, &after).into_iter().map(|change| change.path).collect();
        assert_eq!(told, ["states.kept", "states.open.keep.to"]);
        assert!(lines(("a", BASE), ("b", &after)).contains("-  kept: {}"));
        assert_eq!(lines(("a", BASE), ("b", BASE)), "");
    }
}
