//! From the journal to the bus: nothing is lost, nothing is out of order.

use std::collections::HashMap;

use bus::relay;
use tokio_util::sync::CancellationToken;

use crate::{
    database::Database,
    harness::{World, connect, event, eventually, ids, ids_of, stored, within, world},
};

fn start(world: &World, database: &Database, owner: &str) -> (CancellationToken, Task) {
    let stop = CancellationToken::new();
    let task = tokio::spawn(relay(
        world.bus.clone(),
        "incident".to_owned(),
        database.clone(),
        database.clone(),
        owner.to_owned(),
        stop.clone(),
    ));
    (stop, task)
}

type Task = tokio::task::JoinHandle<()>;

async fn drained(database: &Database) {
    eventually("the outbox to be empty", || async {
        database.tables().outbox.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_committed_is_published_in_the_order_of_the_journal() {
    let world = world().await;
    let database = Database::default();
    let (stop, task) = start(&world, &database, "a");
    for start in [0, 1_000, 2_000] {
        database.commit((start..start + 1_000).map(|n| (i64::from(n), event(n, n % 50, 1))));
    }
    drained(&database).await;
    assert_eq!(ids(&stored(world.server.address(), "INCIDENT").await), ids_of(0..3_000));
    stop.cancel();
    within("the relay to end", task).await.unwrap();
    assert!(database.shares().is_empty(), "the lease is given back");
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_skipped() {
    let world = world().await;
    let database = Database::default();
    let (_stop, _task) = start(&world, &database, "a");
    // Numbers are given out before the commit: 1 is committed after 2 and 3 have gone.
    database.commit([(2, event(2, 2, 1)), (3, event(3, 3, 1))]);
    drained(&database).await;
    database.commit([(1, event(1, 1, 1))]);
    drained(&database).await;
    let found = ids(&stored(world.server.address(), "INCIDENT").await);
    assert_eq!(found, [ids_of(2..4), ids_of(1..2)].concat());
}

#[tokio::test]
async fn kills_of_the_server_in_the_middle_lose_and_reorder_nothing() {
    let world = world().await;
    let database = Database::default();
    let (_stop, _task) = start(&world, &database, "a");
    let mut revisions: HashMap<u32, u64> = HashMap::new();
    for round in 0..6_u32 {
        let events: Vec<_> = (round * 700..(round + 1) * 700)
            .map(|n| {
                let revision = revisions.entry(n % 13).or_default();
                *revision += 1;
                (i64::from(n), event(n, n % 13, *revision))
            })
            .collect();
        database.commit(events);
        tokio::task::yield_now().await;
        world.server.crash();
        let restarts = u64::from(round) + 1;
        eventually("the restart", || async { (world.server.restarts() == restarts).then_some(()) })
            .await;
    }
    drained(&database).await;
    assert_eq!(ids(&stored(world.server.address(), "INCIDENT").await), ids_of(0..4_200));
}

#[tokio::test]
async fn without_the_server_events_wait_and_follow_when_it_is_back() {
    let world = world().await;
    let database = Database::default();
    let (_stop, _task) = start(&world, &database, "a");
    world.server.down().await;
    database.commit((0..10).map(|n| (i64::from(n), event(n, n, 1))));
    world.server.up().await;
    drained(&database).await;
    assert_eq!(ids(&stored(world.server.address(), "INCIDENT").await), ids_of(0..10));
}

#[tokio::test]
async fn one_replica_relays_and_another_takes_over_when_it_is_killed() {
    let world = world().await;
    let database = Database::default();
    let (_a, first) = start(&world, &database, "a");
    eventually("the first to hold", || async { database.shares().get("a").copied() }).await;
    let (_b, _second) = start(&world, &database, "b");
    database.commit([(0, event(0, 0, 1))]);
    drained(&database).await;
    first.abort();
    database.commit([(1, event(1, 0, 2))]);
    drained(&database).await;
    assert_eq!(database.shares().get("b"), Some(&1));
    assert_eq!(ids(&stored(world.server.address(), "INCIDENT").await), ids_of(0..2));
}

#[tokio::test]
async fn an_event_that_no_server_takes_holds_back_its_own_record_only() {
    let world = world().await;
    let database = Database::default();
    let (_stop, _task) = start(&world, &database, "a");
    let mut huge = event(1, 1, 1);
    huge.data = vec![b' '; 3_000_000];
    let small = [(0, event(0, 0, 1)), (2, event(2, 1, 2)), (3, event(3, 3, 1))];
    database.commit(small.into_iter().chain([(1, huge)]));
    // Of their bundle these two are left.
    eventually("the others", || async { (database.tables().outbox.len() == 2).then_some(()) })
        .await;
    database.commit([(4, event(4, 0, 2))]);
    eventually("one more", || async { (!database.tables().outbox.contains_key(&4)).then_some(()) })
        .await;
    let found = ids(&stored(world.server.address(), "INCIDENT").await);
    assert_eq!(found, [ids_of(0..1), ids_of(3..4), ids_of(4..5)].concat());
    assert_eq!(database.tables().outbox.keys().copied().collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_second_connection_sees_what_the_relay_published() {
    let world = world().await;
    let database = Database::default();
    let (_stop, _task) = start(&world, &database, "a");
    database.commit([(0, event(0, 0, 1))]);
    drained(&database).await;
    let other = connect(world.server.address(), "gateway").await;
    assert_eq!(other.totals("INCIDENT").await.unwrap().last_sequence, 1);
    assert_eq!(other.totals("NOWHERE").await.unwrap().messages, 0);
}
