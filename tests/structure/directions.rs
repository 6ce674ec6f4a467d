//! Who may depend on whom (ARCHITECTURE.md, "The rooms"), read from `cargo metadata`.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use acceptance::repository;
use serde_json::Value;

const PURE: [&str; 3] = ["kernel", "engine", "contract"];
const SHARED: [&str; 6] = ["kernel", "engine", "contract", "store", "bus", "chassis"];
/// What a pure crate must do without: I/O, async, databases, HTTP.
const IMPURE: [&str; 8] =
    ["tokio", "axum", "sea-orm", "sqlx", "async-nats", "reqwest", "hyper", "futures"];

/// One crate of the workspace, as its manifest declares it.
struct Package {
    name: String,
    /// Its folder from the root: `shared/kernel`.
    room: String,
    /// Names of what it links, own crates and others.
    links: BTreeSet<String>,
    /// The same for its tests alone.
    tests_link: BTreeSet<String>,
}

impl Package {
    fn is_service(&self) -> bool {
        self.room.starts_with("services/")
    }

    /// Own crates that this one may link, or `None` where everything is allowed.
    fn may_link(&self) -> Option<BTreeSet<&'static str>> {
        let allowed: &[&str] = match self.room.as_str() {
            "shared/kernel" => &[],
            "shared/engine" | "shared/contract" => &["kernel"],
            "shared/store" => &["kernel", "engine", "contract"],
            "shared/bus" => &["kernel", "contract"],
            "shared/chassis" => &["kernel", "engine", "contract", "store", "bus"],
            "tests" | "tests/bench" | "deploy/steward" => return None,
            // The testkit and the services.
            _ => &SHARED,
        };
        Some(allowed.iter().copied().collect())
    }
}

/// The manifests of the workspace, as cargo reads them.
pub fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(repository())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo speaks JSON")
}

fn packages() -> Vec<Package> {
    let metadata = metadata();
    let root = metadata["workspace_root"].as_str().expect("a workspace has a root");
    metadata["packages"].as_array().expect("a list").iter().map(|one| package(one, root)).collect()
}

fn package(metadata: &Value, root: &str) -> Package {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let room = text(&metadata["manifest_path"])
        .trim_start_matches(root)
        .trim_start_matches('/')
        .trim_end_matches("/Cargo.toml")
        .to_owned();
    let declared = metadata["dependencies"].as_array().expect("a list");
    let of = |kind: Option<&str>| {
        declared
            .iter()
            .filter(|dependency| dependency["kind"].as_str() == kind)
            .map(|dependency| text(&dependency["name"]))
            .collect()
    };
    Package { name: text(&metadata["name"]), room, links: of(None), tests_link: of(Some("dev")) }
}

#[test]
fn every_room_depends_only_on_the_rooms_below_it() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut faults = Vec::new();
    for package in &packages {
        let Some(allowed) = package.may_link() else { continue };
        for other in package.links.iter().filter(|name| ours.contains(name.as_str())) {
            if !allowed.contains(other.as_str()) {
                faults.push(format!("{} must not depend on {other}", package.room));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_service_links_against_another() {
    let packages = packages();
    let by_name: BTreeMap<&str, &Package> =
        packages.iter().map(|package| (package.name.as_str(), package)).collect();
    let services: Vec<&&Package> =
        by_name.values().filter(|package| package.is_service()).collect();
    assert!(services.len() >= 2, "the workspace has its services");
    for service in services {
        let mut reached = BTreeSet::new();
        let mut ahead: Vec<&str> =
            service.links.iter().chain(&service.tests_link).map(String::as_str).collect();
        while let Some(name) = ahead.pop() {
            let Some(package) = by_name.get(name) else { continue };
            assert!(
                !package.is_service(),
                "{} reaches the service {} through its dependencies",
                service.name,
                package.name
            );
            if reached.insert(name) {
                ahead.extend(package.links.iter().map(String::as_str));
            }
        }
    }
}

#[test]
fn what_is_pure_knows_no_runtime_database_or_network() {
    for package in packages().iter().filter(|package| PURE.contains(&package.name.as_str())) {
        for foreign in IMPURE {
            assert!(!package.links.contains(foreign), "{} must not use {foreign}", package.room);
        }
    }
}

#[test]
fn one_crate_knows_the_database_and_one_the_bus() {
    let known_by = |library: &str, rooms: &[&str]| {
        for package in packages() {
            let links = package.links.contains(library) || package.tests_link.contains(library);
            assert!(
                !links || rooms.contains(&package.room.as_str()),
                "{} must not use {library}: only {rooms:?} may",
                package.room
            );
        }
    };
    known_by("sea-orm", &["shared/store"]);
    known_by("sea-orm-migration", &["shared/store"]);
    known_by("sqlx", &["shared/store", "shared/testkit", "tests/bench"]);
    known_by("async-nats", &["shared/bus", "shared/testkit", "tests/bench"]);
}

#[test]
fn the_testkit_is_for_tests_alone() {
    for package in packages().iter().filter(|package| !package.room.starts_with("tests")) {
        assert!(!package.links.contains("testkit"), "{} ships the testkit", package.room);
    }
}
