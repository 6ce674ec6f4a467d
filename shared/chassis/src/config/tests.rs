//! The layers of the configuration, and what is said when they are wrong.

use std::collections::HashMap;

use super::*;

#[test]
fn the_sample_names_every_key_and_changes_no_default() {
    let sample = include_str!("../../../../deploy/config/local.toml");
    let parsed = Config::parse(sample, &[]).unwrap();
    let defaults = Config::of(&[]).unwrap();
    assert_eq!(format!("{parsed:?}"), format!("{defaults:?}"));
    for line in DEFAULTS.lines().filter(|line| line.contains(" = ")) {
        let key = line.split(" = ").next().unwrap();
        let named = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
        assert!(sample.lines().any(named), "`{key}` is missing in the sample");
    }
}

#[test]
fn later_layers_win() {
    let file = File::from_str("[service]\ndrain_seconds = 1\n[limits]\ndelivery_tries = 3", {
        FileFormat::Toml
    });
    let environment = HashMap::from([
        ("STEWARD__SERVICE__DRAIN_SECONDS".to_owned(), "2".to_owned()),
        ("STEWARD__BUS__URL".to_owned(), "1234".to_owned()),
        ("STEWARD_ADMIN_TOKEN".to_owned(), "not ours".to_owned()),
    ]);
    let config =
        Config::build(Some(file), environment, &[("service.listen", "127.0.0.1:8081".to_owned())])
            .unwrap();
    assert_eq!(config.service.drain_seconds, 2);
    assert_eq!(config.limits.delivery_tries, 3);
    assert_eq!(config.bus.url.reveal(), "1234");
    assert_eq!(config.service.listen.port(), 8081);
}

#[test]
fn every_fault_is_told_at_once() {
    let text = "[service]\nlisten = \"nowhere\"\ncolour = \"red\"\ndrain_seconds = \"soon\"\n\
                [limits]\nbody_bytes = 1\n[kitchen]\nsink = 1\n[telemetry]\nlog_format = \"xml\"";
    let faults = Config::parse(text, &[]).unwrap_err().0;
    for expected in [
        "service.listen",
        "service.colour",
        "service.drain_seconds",
        "limits.body_bytes",
        "`kitchen`",
        "telemetry.log_format",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:#?}");
    }
    assert_eq!(faults.len(), 6, "{faults:#?}");
}

#[test]
fn a_secret_is_never_shown_and_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, "postgres://steward:hunter2@db/steward\n").unwrap();
    let text = format!("[database]\nurl_file = \"{}\"", file.display());
    let config = Config::parse(&text, &[]).unwrap();
    assert_eq!(config.database_url("incident"), "postgres://steward:hunter2@db/steward");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(Config::parse("[database]\nurl_file = \"/none/such\"", &[]).is_err());
}

#[test]
fn without_a_url_the_database_is_a_file_of_the_service() {
    let config = Config::of(&[("service.data_dir", "/var/lib/steward".to_owned())]).unwrap();
    assert_eq!(
        config.database_url("incident"),
        "sqlite:///var/lib/steward/incident.sqlite?mode=rwc"
    );
}
