//! The ground that other tests stand on holds.

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use sqlx::{Connection as _, PgConnection};
use testkit::{Nats, Postgres, Sync, eventually};

#[tokio::test]
async fn each_nats_server_is_a_tests_own() {
    let (first, second) = tokio::join!(Nats::start(), Nats::start());
    assert_ne!(first.address().to_string(), second.address().to_string());
    let bus = first.bus("incident").await;
    bus.ensure("incident").await.unwrap();
    assert!(second.bus("incident").await.totals("INCIDENT").await.unwrap().messages == 0);
    let folder = first.folder().to_owned();
    drop((bus, first));
    assert!(!folder.exists());
}

#[tokio::test]
async fn each_scratch_database_is_a_tests_own_and_goes_with_it() {
    let Some(first) = Postgres::scratch().await else { return };
    let Some(second) = Postgres::scratch().await else { return };
    assert_ne!(first.url, second.url);
    let mut connection = PgConnection::connect(&first.url).await.unwrap();
    sqlx::query("CREATE TABLE note (text text)").execute(&mut connection).await.unwrap();
    let gone = first.url.clone();
    drop((connection, first));
    PgConnection::connect(&gone).await.expect_err("the database is still there");
    PgConnection::connect(&second.url).await.unwrap();
}

#[tokio::test]
async fn a_server_of_ones_own_survives_a_crash_and_leaves_nothing_behind() {
    let server = match Postgres::start(Sync::On) {
        Ok(server) => server,
        Err(because) => return testkit::skipped("a PostgreSQL of its own", &because),
    };
    let scratch = server.database().await;
    let mut connection = PgConnection::connect(&scratch.url).await.unwrap();
    sqlx::query("CREATE TABLE note (text text)").execute(&mut connection).await.unwrap();
    server.crash().unwrap();
    PgConnection::connect(&scratch.url).await.expect_err("still there");
    server.up().unwrap();
    let mut connection = PgConnection::connect(&scratch.url).await.unwrap();
    sqlx::query("INSERT INTO note VALUES ('kept')").execute(&mut connection).await.unwrap();
    let port = server.port();
    drop((connection, scratch, server));
    std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free again");
}

#[tokio::test]
async fn waiting_ends_with_an_answer_or_with_what_was_waited_for() {
    let mut tries = 0;
    let answer = eventually("the third try", Duration::from_secs(60), async || {
        tries += 1;
        (tries == 3).then_some("here")
    })
    .await;
    assert_eq!(answer, "here");
    let waiting = tokio::spawn(eventually("godot", Duration::ZERO, async || None::<()>));
    let panic = waiting.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "waited 0 s for godot");
}

#[tokio::test]
async fn the_fetched_or_found_server_can_be_run() {
    let binary = Nats::binary().await;
    let mode = std::fs::metadata(&binary).unwrap().permissions().mode();
    assert!(mode & 0o100 != 0, "{}", binary.display());
}
