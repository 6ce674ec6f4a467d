//! The requirement catalogue and the tests that prove it, held in step.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use acceptance::repository;
use serde::Deserialize;

use crate::tree::rust_files;

/// How many rows the catalogue has.
const ROWS: usize = 248;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    requirement: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    id: String,
    process: String,
    title: String,
    /// `tests/stories/intake.rs::an_alert_opens_an_incident`
    proven_by: Vec<String>,
    /// Of a row that no test proves: what is still missing.
    needs: Option<String>,
}

fn catalogue() -> Vec<Requirement> {
    let text = fs::read_to_string(repository().join("tests/requirements.toml"))
        .expect("the catalogue is there");
    toml::from_str::<Catalogue>(&text).expect("the catalogue is sound").requirement
}

/// Which rows each test says that it proves, from `/// Proves: INC-3, PLT-2` above it.
fn claims_of_tests() -> BTreeMap<String, BTreeSet<String>> {
    let mut claims = BTreeMap::new();
    for file in rust_files() {
        let mut rows = BTreeSet::new();
        for line in file.text.lines().map(str::trim) {
            if let Some(list) = line.strip_prefix("/// Proves:") {
                rows.extend(list.split(',').map(|row| row.trim().trim_end_matches('.').to_owned()));
            } else if let Some(name) = function_name(line).filter(|_| !rows.is_empty()) {
                claims.insert(format!("{}::{name}", file.path), std::mem::take(&mut rows));
            }
        }
        assert!(rows.is_empty(), "{}: `Proves: {rows:?}` stands above no function", file.path);
    }
    claims
}

/// The name in `async fn name(`.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let only_qualifiers =
        before.split_whitespace().all(|word| ["pub", "async", "const"].contains(&word));
    only_qualifiers.then(|| after.split(['(', '<']).next().unwrap_or(after))
}

#[test]
fn the_catalogue_holds_every_row_once() {
    let catalogue = catalogue();
    let ids: BTreeSet<&str> = catalogue.iter().map(|row| row.id.as_str()).collect();
    assert_eq!((catalogue.len(), ids.len()), (ROWS, ROWS));
    for row in &catalogue {
        assert!(!row.process.is_empty(), "{} has no process", row.id);
        let words = row.title.split_whitespace().count();
        assert!((1..=12).contains(&words), "{}: a title of {words} words", row.id);
        let is_open = row.proven_by.is_empty();
        assert_eq!(is_open, row.needs.is_some(), "{}: it is proven, or says what it needs", row.id);
    }
}

#[test]
fn the_catalogue_and_the_tests_agree() {
    let by_tests = claims_of_tests();
    let mut by_catalogue: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for row in catalogue() {
        for test in &row.proven_by {
            by_catalogue.entry(test.clone()).or_default().insert(row.id.clone());
        }
        known.insert(row.id);
    }
    let mut faults = Vec::new();
    for (test, rows) in &by_tests {
        for row in rows {
            let listed = by_catalogue.get(test).is_some_and(|rows| rows.contains(row));
            if !known.contains(row) {
                faults.push(format!("{test} names {row}, which the catalogue does not hold"));
            } else if !listed {
                faults.push(format!("{row} does not list {test}, which names it"));
            }
        }
    }
    for (test, rows) in &by_catalogue {
        match by_tests.get(test) {
            None => faults.push(format!("{rows:?} list {test}: no such test names a row")),
            Some(said) => faults.extend(
                rows.difference(said).map(|row| format!("{row} lists {test}, which is silent")),
            ),
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_readme_shows_how_many_rows_are_proven() {
    let proven = catalogue().iter().filter(|row| !row.proven_by.is_empty()).count();
    let readme = fs::read_to_string(repository().join("README.md")).expect("a README is there");
    let shown = format!("{proven} / {ROWS}");
    assert!(readme.contains(&shown), "README.md must show `{shown}` requirements as proven");
}
