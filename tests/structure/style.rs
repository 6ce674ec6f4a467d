//! What the house style says of every file, where a machine can tell.

use crate::tree::{Source, rust_files};

/// Words that mark unfinished work; written in two pieces, so that this file passes its own check.
const UNFINISHED: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[", "ignore"),
];

/// Waiting for time to pass instead of for a condition.
const SLEEPS: [&str; 2] = [concat!("thread::", "sleep("), concat!("time::", "sleep(")];

/// The places where `text` stands, as `path:line`.
fn places(files: &[Source], text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (position, line) in file.text.lines().enumerate() {
            if holds(line, text) {
                found.push(format!("{}:{}: {}", file.path, position + 1, line.trim()));
            }
        }
    }
    found
}

/// Whether `text` stands in `line` as a word of its own.
fn holds(line: &str, text: &str) -> bool {
    let is_end = |next: Option<char>| next.is_none_or(|symbol| !symbol.is_alphanumeric());
    line.match_indices(text).any(|(place, _)| {
        is_end(line[..place].chars().next_back())
            && is_end(line[place + text.len()..].chars().next())
            || text.ends_with('(')
    })
}

#[test]
fn every_file_opens_with_one_sentence() {
    let faults: Vec<String> = rust_files()
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.path)
        .collect();
    assert!(faults.is_empty(), "files that do not open with `//!`: {faults:#?}");
}

#[test]
fn a_module_is_named_after_itself() {
    let faults: Vec<String> = rust_files()
        .into_iter()
        .map(|file| file.path)
        .filter(|path| path.ends_with("/mod.rs"))
        .collect();
    assert!(faults.is_empty(), "write foo.rs beside foo/: {faults:#?}");
}

#[test]
fn nothing_is_left_unfinished() {
    let files = rust_files();
    let faults: Vec<String> = UNFINISHED.iter().flat_map(|mark| places(&files, mark)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn tests_wait_for_conditions_and_never_sleep() {
    let tests: Vec<Source> = rust_files()
        .into_iter()
        .filter(|file| file.path.starts_with("tests/") || file.path.contains("/tests/"))
        .collect();
    let faults: Vec<String> = SLEEPS.iter().flat_map(|sleep| places(&tests, sleep)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
