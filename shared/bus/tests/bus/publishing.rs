//! Batches, repeats, lost answers, and many callers at once.

use async_nats::jetstream;
use bus::{Bus, Message, Options, Publisher};
use bytes::Bytes;

use crate::harness::{
    alert, client, event, events, eventually, id, id_of, ids, ids_of, stored, within, world,
};

#[tokio::test]
async fn more_than_a_batch_is_stored_in_order_and_once() {
    let world = world().await;
    world.bus.publish_all("INCIDENT", events(0..1_203)).await.unwrap();
    let found = stored(world.server.address(), "INCIDENT").await;
    assert_eq!(ids(&found), ids_of(0..1_203));
    assert!(found[0].1.starts_with("steward.incident.incident.opened.v1."), "{}", found[0].1);
    let counted = world.bus.counters();
    assert_eq!((counted.published, counted.batches, counted.republished), (1_203, 3, 0));
}

#[tokio::test]
async fn a_few_go_singly_and_those_of_a_record_in_their_order() {
    let world = world().await;
    let few = (0..12).map(|n| Message::event("incident", event(n, n % 3, u64::from(n / 3) + 1)));
    world.bus.publish_all("INCIDENT", few.collect()).await.unwrap();
    let found = stored(world.server.address(), "INCIDENT").await;
    for record in 0..3 {
        let own = found.iter().filter(|(_, subject, _)| subject.ends_with(&id_of(record)));
        let own: Vec<_> = own.map(|(_, _, id)| id.clone()).collect();
        let numbers = (0..4).map(|revision| id(revision * 3 + record).to_string());
        assert_eq!(own, numbers.collect::<Vec<_>>());
    }
    let counted = world.bus.counters();
    assert_eq!((counted.published, counted.batches, counted.republished), (12, 0, 0));
}

#[tokio::test]
async fn a_batch_that_repeats_old_messages_adds_only_the_new_ones() {
    let world = world().await;
    world.bus.publish_all("INCIDENT", events(0..20)).await.unwrap();
    // The same batch again, as after a lost answer; then one that overlaps.
    world.bus.publish_all("INCIDENT", events(0..20)).await.unwrap();
    world.bus.publish_all("INCIDENT", events(10..30)).await.unwrap();
    assert_eq!(ids(&stored(world.server.address(), "INCIDENT").await), ids_of(0..30));
    assert_eq!(world.bus.counters().republished, 40);
}

#[tokio::test]
async fn a_stream_that_went_missing_is_made_again() {
    let world = world().await;
    jetstream::new(client(world.server.address()).await).delete_stream("INCIDENT").await.unwrap();
    world.bus.publish_all("INCIDENT", events(0..5)).await.unwrap();
    assert_eq!(ids(&stored(world.server.address(), "INCIDENT").await), ids_of(0..5));
}

#[tokio::test]
async fn a_message_for_another_stream_is_an_error() {
    let world = world().await;
    let error = world.bus.publish_all("INCIDENT", vec![alert("a", "b", 1)]).await.unwrap_err();
    assert!(error.is_final(), "{error:?}");
}

#[tokio::test]
async fn without_a_server_a_publish_is_refused_at_once_and_not_kept() {
    let nowhere = "nats://127.0.0.1:9".parse().unwrap();
    let bus = Bus::connect(Options::own_server(nowhere, "gateway")).await.unwrap();
    assert!(!bus.is_connected());
    let publisher = Publisher::new(bus.clone(), "ALERTS");
    within("the refusal", publisher.publish(vec![alert("a", "b", 1)])).await.unwrap_err();
    bus.ensure("incident").await.unwrap_err();
}

#[tokio::test]
async fn callers_share_batches_and_one_bad_message_fails_alone() {
    let world = world().await;
    let publisher = Publisher::new(world.bus.clone(), "ALERTS");
    let calls = (0..60_u32).map(|caller| {
        let publisher = publisher.clone();
        async move {
            let mut messages: Vec<Message> =
                (0..10).map(|n| alert("prometheus", "key", caller * 100 + n)).collect();
            if caller == 30 {
                messages[5].payload = Bytes::from(vec![b'x'; 3_000_000]);
            }
            (caller, publisher.publish(messages).await)
        }
    });
    for (caller, outcome) in futures::future::join_all(calls).await {
        assert_eq!(outcome.is_ok(), caller != 30, "caller {caller}: {outcome:?}");
    }
    let found = ids(&stored(world.server.address(), "ALERTS").await);
    for n in (0..60).filter(|caller| *caller != 30).flat_map(|c| c * 100..c * 100 + 10) {
        let id = ids_of(n..n + 1).remove(0);
        assert_eq!(found.iter().filter(|stored| **stored == id).count(), 1, "message {n}");
    }
    assert!(world.bus.counters().batches < 60, "{:?}", world.bus.counters());
}

#[tokio::test]
async fn what_was_acknowledged_survives_kills_of_the_server() {
    let world = world().await;
    let mut next = 0;
    for _ in 0..5 {
        for burst in 0..6 {
            let range = next..next + 150;
            if burst == 3 {
                world.server.crash();
            }
            // As the relay does: the same ones again until they are acknowledged.
            eventually("an acknowledgement", || async {
                world.bus.publish_all("INCIDENT", events(range.clone())).await.ok()
            })
            .await;
            next += 150;
        }
    }
    assert_eq!(ids(&stored(world.server.address(), "INCIDENT").await), ids_of(0..next));
}
