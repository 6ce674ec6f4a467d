//! The live tail and the descriptors.

use std::collections::BTreeMap;

use contract::Descriptor;
use futures::StreamExt as _;

use crate::harness::{client, connect, events, eventually, id, within, world};

fn incident() -> Vec<String> {
    vec!["INCIDENT".to_owned()]
}

#[tokio::test]
async fn a_tail_without_a_place_starts_now_and_one_with_a_place_resumes() {
    let world = world().await;
    world.bus.publish_all("INCIDENT", events(0..10)).await.unwrap();
    let resume = BTreeMap::from([("INCIDENT".to_owned(), 7)]);
    let mut resumed = world.bus.tail(&incident(), &resume);
    for expected in 8..=10_u32 {
        let tailed = within("an event", resumed.next()).await.unwrap();
        assert_eq!(tailed.sequence, u64::from(expected));
        assert_eq!(tailed.event.id, id(expected - 1));
    }
    let mut live = world.bus.tail(&incident(), &BTreeMap::new());
    let mut next = 10;
    // "Now" is when the tail has found its place: publish until it hears something.
    let first = loop {
        world.bus.publish_all("INCIDENT", events(next..next + 1)).await.unwrap();
        next += 1;
        tokio::select! {
            biased;
            tailed = live.next() => break tailed.unwrap(),
            () = tokio::task::yield_now() => {}
        }
    };
    assert!(first.sequence > 10, "{first:?}");
    assert_eq!(within("an event", resumed.next()).await.unwrap().sequence, 11);
}

#[tokio::test]
async fn a_tail_goes_on_where_it_was_when_the_server_comes_back() {
    let world = world().await;
    let mut tail = world.bus.tail(&incident(), &BTreeMap::from([("INCIDENT".to_owned(), 0)]));
    world.bus.publish_all("INCIDENT", events(0..5)).await.unwrap();
    for expected in 1..=5 {
        assert_eq!(within("an event", tail.next()).await.unwrap().sequence, expected);
    }
    world.server.crash();
    eventually("a publish", || async {
        world.bus.publish_all("INCIDENT", events(5..10)).await.ok()
    })
    .await;
    for expected in 6..=10 {
        assert_eq!(within("an event", tail.next()).await.unwrap().sequence, expected);
    }
}

#[tokio::test]
async fn what_is_no_event_is_left_out_of_the_tail() {
    let world = world().await;
    let mut tail = world.bus.tail(&incident(), &BTreeMap::from([("INCIDENT".to_owned(), 0)]));
    let foreign = client(world.server.address()).await;
    foreign.publish("steward.incident.hello", "who is there?".into()).await.unwrap();
    foreign.flush().await.unwrap();
    world.bus.publish_all("INCIDENT", events(0..1)).await.unwrap();
    assert_eq!(within("an event", tail.next()).await.unwrap().event.id, id(0));
}

fn descriptor(service: &str, version: &str) -> Descriptor {
    Descriptor {
        service: service.to_owned(),
        version: version.to_owned(),
        url: String::new(),
        processes: Vec::new(),
        paths: Vec::new(),
    }
}

#[tokio::test]
async fn a_service_that_describes_itself_is_known_to_those_who_watch() {
    let world = world().await;
    let early = world.bus.watch_descriptors();
    world.bus.describe(&descriptor("incident", "1")).await.unwrap();
    world.bus.describe(&descriptor("change", "1")).await.unwrap();
    world.bus.describe(&descriptor("incident", "2")).await.unwrap();
    let late = connect(world.server.address(), "gateway").await.watch_descriptors();
    let expected = BTreeMap::from([
        ("change".to_owned(), descriptor("change", "1")),
        ("incident".to_owned(), descriptor("incident", "2")),
    ]);
    for mut watch in [early, late] {
        let known = watch.wait_for(|known| *known == expected);
        within("the descriptors", known).await.unwrap();
    }
}

#[tokio::test]
async fn descriptors_are_followed_through_a_restart_of_the_server() {
    let world = world().await;
    let mut watch = world.bus.watch_descriptors();
    world.bus.describe(&descriptor("incident", "1")).await.unwrap();
    within("the first", watch.wait_for(|known| known.len() == 1)).await.unwrap();
    world.server.crash();
    eventually("a new one", || async { world.bus.describe(&descriptor("change", "1")).await.ok() })
        .await;
    within("the second", watch.wait_for(|known| known.len() == 2)).await.unwrap();
}
