//! From the bus to a desk: each record's messages in order, with effect once, by any replica.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream;
use bus::{Bus, Consumption, Desk, Message, consume};
use tokio_util::sync::CancellationToken;

use crate::{
    database::{Clerk, Database},
    harness::{World, alert, client, connect, event, events, eventually, within, world},
};

const NAME: &str = "change-hears-incident";

struct Replica {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn start<D: Desk>(bus: &Bus, owner: &str, database: &Database, desk: D) -> Replica {
    let stop = CancellationToken::new();
    let what = Consumption {
        name: NAME.to_owned(),
        streams: vec!["INCIDENT".to_owned(), "ALERTS".to_owned()],
        owner: owner.to_owned(),
    };
    let task =
        tokio::spawn(consume(bus.clone(), what, Arc::new(desk), database.clone(), stop.clone()));
    Replica { stop, task }
}

async fn replica(world: &World, owner: &str, database: &Database) -> (Bus, Replica) {
    let bus = connect(world.server.address(), owner).await;
    let clerk = Clerk { database: database.clone(), name: owner.to_owned() };
    let replica = start(&bus, owner, database, clerk);
    (bus, replica)
}

/// Events of 40 records, each with rising revisions, numbered from `start`.
fn histories(start: u32, count: u32) -> Vec<Message> {
    (start..start + count)
        .map(|n| Message::event("incident", event(n, n % 40, u64::from(n / 40) + 1)))
        .collect()
}

async fn effects(database: &Database, expected: usize) {
    eventually("the effects", || async {
        (database.tables().effects.len() >= expected).then_some(())
    })
    .await;
    assert_eq!(database.tables().effects.len(), expected);
}

fn in_order(database: &Database, until: u64) {
    for (record, revisions) in &database.tables().revisions {
        assert_eq!(*revisions, (1..=until).collect::<Vec<_>>(), "record {record}");
    }
}

async fn caught_up(bus: &Bus, database: &Database) {
    let streams = ["INCIDENT".to_owned(), "ALERTS".to_owned()];
    eventually("the consumer to catch up", || async {
        bus.standing(NAME, &streams, database).await.ok()?.is_caught_up().then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_message_takes_effect_once_and_each_records_in_order() {
    let world = world().await;
    let database = Database::default();
    world.bus.publish_all("INCIDENT", histories(0, 2_000)).await.unwrap();
    let streams = ["INCIDENT".to_owned()];
    let before = world.bus.standing(NAME, &streams, &database).await.unwrap();
    assert_eq!((before.unopened, before.is_caught_up()), (16, false));
    let (_bus, replica) = replica(&world, "a", &database).await;
    effects(&database, 2_000).await;
    let alerts = (0..100).map(|n| alert("prometheus", &format!("k{n}"), 90_000 + n)).collect();
    world.bus.publish_all("ALERTS", alerts).await.unwrap();
    effects(&database, 2_100).await;
    in_order(&database, 50);
    caught_up(&world.bus, &database).await;
    assert_eq!(database.tables().repeats, 0);
    replica.stop.cancel();
    within("the end", replica.task).await.unwrap();
    assert!(database.shares().is_empty(), "{:?}", database.shares());
}

#[tokio::test]
async fn a_replica_reads_a_stream_once_for_all_its_partitions() {
    let world = world().await;
    let database = Database::default();
    world.bus.publish_all("INCIDENT", histories(0, 200)).await.unwrap();
    let (_first, first) = replica(&world, "a", &database).await;
    effects(&database, 200).await;
    let (_second, _second_replica) = replica(&world, "b", &database).await;
    eventually("both to have a share", || async { (database.shares().len() == 2).then_some(()) })
        .await;
    let jetstream = jetstream::new(client(world.server.address()).await);
    let readers = async || {
        let stream = jetstream.get_stream("INCIDENT").await.ok()?;
        Some(stream.cached_info().state.consumer_count)
    };
    eventually("one reader for each", || async { (readers().await == Some(2)).then_some(()) })
        .await;
    world.bus.publish_all("INCIDENT", histories(200, 200)).await.unwrap();
    effects(&database, 400).await;
    first.stop.cancel();
    within("the end", first.task).await.unwrap();
    eventually("one reader", || async { (readers().await == Some(1)).then_some(()) }).await;
}

#[tokio::test]
async fn nothing_is_passed_over_when_shares_change_while_much_is_still_ahead() {
    let world = world().await;
    let database = Database::default();
    let all: u32 = 20_000;
    world.bus.publish_all("INCIDENT", histories(0, all)).await.unwrap();
    let (_bus, first) = replica(&world, "a", &database).await;
    for name in ["b", "c", "d"] {
        let (_bus, another) = replica(&world, name, &database).await;
        eventually("another's share", || async {
            database.shares().get(name).is_some_and(|share| *share == 8).then_some(())
        })
        .await;
        another.task.abort();
    }
    effects(&database, all as usize).await;
    in_order(&database, u64::from(all / 40));
    first.stop.cancel();
    within("the end", first.task).await.unwrap();
}

#[tokio::test]
async fn replicas_share_evenly_and_a_share_moves_at_once_when_one_leaves() {
    let world = world().await;
    let database = Database::default();
    let (_a, first) = replica(&world, "a", &database).await;
    let (_b, second) = replica(&world, "b", &database).await;
    let shares = |expected: BTreeMap<String, usize>| {
        let database = &database;
        async move { (database.shares() == expected).then_some(()) }
    };
    let even: BTreeMap<_, _> = [("a".to_owned(), 8), ("b".to_owned(), 8)].into();
    eventually("even shares", || shares(even.clone())).await;
    let (_c, third) = replica(&world, "c", &database).await;
    let three = [("a".to_owned(), 6), ("b".to_owned(), 5), ("c".to_owned(), 5)];
    eventually("three shares", || shares(three.clone().into())).await;
    third.stop.cancel();
    within("the third to leave", third.task).await.unwrap();
    eventually("even shares again", || shares(even.clone())).await;
    world.bus.publish_all("INCIDENT", histories(0, 2_000)).await.unwrap();
    effects(&database, 2_000).await;
    in_order(&database, 50);
    let by_a = database.tables().effects.iter().filter(|(_, owner)| owner == "a").count();
    assert!((1..2_000).contains(&by_a), "{by_a} of 2000 by the first");
    drop((first, second));
}

#[tokio::test]
async fn a_killed_replica_is_succeeded_and_order_holds_through_it() {
    let world = world().await;
    let database = Database::default();
    let (_a, first) = replica(&world, "a", &database).await;
    let (_b, _second) = replica(&world, "b", &database).await;
    eventually("both at work", || async { (database.shares().len() == 2).then_some(()) }).await;
    for round in 0..20 {
        world.bus.publish_all("INCIDENT", histories(round * 200, 200)).await.unwrap();
        if round == 5 {
            // What it has in hand is not settled, its leases are not given back.
            first.task.abort();
        }
    }
    effects(&database, 4_000).await;
    in_order(&database, 100);
    caught_up(&world.bus, &database).await;
}

/// Takes deliveries and never answers: as a replica that is killed in the middle of its work.
struct Sleeper(Arc<AtomicUsize>);

impl Desk for Sleeper {
    async fn take(&self, deliveries: Vec<bus::Delivery>, _: &bus::Fence) -> Vec<bus::Outcome> {
        self.0.fetch_add(deliveries.len(), Ordering::SeqCst);
        std::future::pending().await
    }
}

#[tokio::test]
async fn what_a_killed_replica_had_in_hand_comes_before_what_is_newer() {
    let world = world().await;
    let database = Database::default();
    let bus = connect(world.server.address(), "a").await;
    let taken = Arc::new(AtomicUsize::new(0));
    let sleeper = start(&bus, "a", &database, Sleeper(Arc::clone(&taken)));
    world.bus.publish_all("INCIDENT", histories(0, 800)).await.unwrap();
    eventually("some of each lane to be in its hands", || async {
        (taken.load(Ordering::SeqCst) >= 16).then_some(())
    })
    .await;
    sleeper.task.abort();
    drop(bus);
    world.bus.publish_all("INCIDENT", histories(800, 800)).await.unwrap();
    let (_bus, _replica) = replica(&world, "b", &database).await;
    tokio::time::timeout(Duration::from_secs(20), effects(&database, 1_600)).await.unwrap();
    in_order(&database, 40);
    tokio::time::timeout(Duration::from_secs(5), caught_up(&world.bus, &database)).await.unwrap();
}

#[tokio::test]
async fn kills_of_the_server_change_nothing_of_it() {
    let world = world().await;
    let database = Database::default();
    let (_a, _first) = replica(&world, "a", &database).await;
    let (_b, _second) = replica(&world, "b", &database).await;
    for round in 0..8 {
        let batch = histories(round * 400, 400);
        eventually("a publish", || async {
            world.bus.publish_all("INCIDENT", batch.clone()).await.ok()
        })
        .await;
        if round % 2 == 0 {
            world.server.crash();
        }
    }
    effects(&database, 3_200).await;
    in_order(&database, 80);
    caught_up(&world.bus, &database).await;
}

#[tokio::test]
async fn a_desk_that_fails_gets_the_same_again_before_anything_newer() {
    let world = world().await;
    let database = Database::default();
    database.tables().failures = 12;
    let (_a, _first) = replica(&world, "a", &database).await;
    world.bus.publish_all("INCIDENT", histories(0, 800)).await.unwrap();
    effects(&database, 800).await;
    in_order(&database, 20);
    caught_up(&world.bus, &database).await;
}

/// Falls over at its first turn.
struct Clumsy(AtomicBool, Clerk);

impl Desk for Clumsy {
    async fn take(&self, deliveries: Vec<bus::Delivery>, fence: &bus::Fence) -> Vec<bus::Outcome> {
        assert!(self.0.swap(true, Ordering::SeqCst), "the first turn falls over, on purpose");
        self.1.take(deliveries, fence).await
    }
}

#[tokio::test]
async fn a_desk_that_panics_loses_nothing_and_its_partition_goes_on() {
    let world = world().await;
    let database = Database::default();
    let clerk = Clerk { database: database.clone(), name: "a".to_owned() };
    let _replica = start(&world.bus, "a", &database, Clumsy(AtomicBool::default(), clerk));
    world.bus.publish_all("INCIDENT", histories(0, 400)).await.unwrap();
    effects(&database, 400).await;
    in_order(&database, 10);
}

#[tokio::test]
async fn a_stream_that_was_made_anew_is_consumed_from_its_start() {
    let world = world().await;
    let database = Database::default();
    let (_a, _first) = replica(&world, "a", &database).await;
    world.bus.publish_all("INCIDENT", histories(0, 400)).await.unwrap();
    effects(&database, 400).await;
    let jetstream = jetstream::new(client(world.server.address()).await);
    jetstream.delete_stream("INCIDENT").await.unwrap();
    world.bus.publish_all("INCIDENT", histories(400, 400)).await.unwrap();
    effects(&database, 800).await;
    in_order(&database, 20);
}

#[tokio::test]
async fn a_new_owner_goes_on_where_the_one_before_it_wrote_down_that_it_was() {
    let world = world().await;
    let database = Database::default();
    let (_a, first) = replica(&world, "a", &database).await;
    world.bus.publish_all("INCIDENT", histories(0, 400)).await.unwrap();
    effects(&database, 400).await;
    first.stop.cancel();
    within("the end", first.task).await.unwrap();
    let streams = ["INCIDENT".to_owned()];
    let standing = world.bus.standing(NAME, &streams, &database).await.unwrap();
    assert!(standing.is_caught_up(), "{standing:?}");
    world.bus.publish_all("INCIDENT", histories(400, 400)).await.unwrap();
    let standing = world.bus.standing(NAME, &streams, &database).await.unwrap();
    assert!(standing.behind > 0 && standing.unopened == 0, "{standing:?}");
    let (_b, _second) = replica(&world, "b", &database).await;
    effects(&database, 800).await;
    in_order(&database, 20);
    assert_eq!(database.tables().repeats, 0);
}

#[tokio::test]
async fn a_dead_letter_says_what_it_was_and_why() {
    let world = world().await;
    world.bus.publish_all("INCIDENT", events(0..1)).await.unwrap();
    let headers: Vec<(String, String)> = event(7, 1, 3)
        .headers()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let original =
        bus::Delivery::restore("INCIDENT", 12, "steward.incident.x", &headers, "{}".into());
    assert_eq!(original.envelope().unwrap().revision, 3);
    let reason = "refused: no such\ngroup";
    world.bus.publish_dead("change", NAME, reason, &original).await.unwrap();
    let stream =
        jetstream::new(client(world.server.address()).await).get_stream("DEAD").await.unwrap();
    let copy = stream.direct_get(1).await.unwrap();
    assert_eq!(copy.subject.as_str(), "steward.dead.change.change-hears-incident");
    let header = |name: &str| copy.headers.get(name).unwrap().to_string();
    assert_eq!(header("steward-reason"), "refused: no such group");
    assert_eq!(header("steward-sequence"), "12");
    assert_eq!(header("ce-type"), "incident.opened.v1");
}
