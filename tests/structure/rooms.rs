//! Every room is there, and every service has the same ones.

use std::{fs, path::PathBuf};

use acceptance::repository;
use serde_json::Value;

use crate::directions::metadata;

/// What every service has, by path from its folder.
const OF_A_SERVICE: [&str; 4] = ["README.md", "processes", "src/lib.rs", "tests/api/main.rs"];

fn services() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(repository().join("services"))
        .expect("there are services")
        .map(|entry| entry.expect("its entries are readable").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

#[test]
fn every_service_has_the_same_rooms() {
    let mut faults = Vec::new();
    for service in services() {
        for room in OF_A_SERVICE {
            if !service.join(room).exists() {
                faults.push(service.join(room));
            }
        }
    }
    assert!(faults.is_empty(), "missing: {faults:#?}");
}

#[test]
fn every_process_file_is_named_after_its_process_and_version() {
    for service in services() {
        let mut count = 0;
        for entry in fs::read_dir(service.join("processes")).expect("a service has processes") {
            let path = entry.expect("its entries are readable").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (process, rest) = name.split_once('.').expect("a name and a version");
            assert!(
                rest.starts_with('v') && rest.ends_with(".yaml"),
                "{}: write process.v1.yaml",
                path.display()
            );
            let text = fs::read_to_string(&path).expect("a definition is readable");
            assert!(
                text.lines().any(|line| line.trim_end() == format!("process: {process}")),
                "{} does not define {process}",
                path.display()
            );
            count += 1;
        }
        assert!(count > 0, "{} has no process", service.display());
    }
}

#[test]
fn one_package_answers_to_a_bare_cargo_run() {
    let metadata = metadata();
    let with_default: Vec<&Value> = metadata["packages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|package| package["default_run"].is_string())
        .map(|package| &package["name"])
        .collect();
    assert_eq!(with_default, ["steward"]);
}

#[test]
fn the_papers_are_there() {
    let papers = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", ".ci/run"];
    for paper in papers {
        assert!(repository().join(paper).is_file(), "{paper} is missing");
    }
}
