//! The streams as they are made, and what they do to subjects.

use std::collections::BTreeMap;

use async_nats::jetstream;
use bus::{Bus, Options};

use crate::harness::{alert, client, stored, world};

#[tokio::test]
async fn alerts_are_stored_under_their_partition_and_a_key_keeps_its_own() {
    let world = world().await;
    let round = |start: u32| {
        (0..60)
            .map(|n| alert("alertmanager", &format!("key{}", n % 30), start + n))
            .collect::<Vec<_>>()
    };
    // In a batch, and one by one: the transform takes both.
    world.bus.publish_all("ALERTS", round(0)).await.unwrap();
    for message in round(100) {
        world.bus.publish_all("ALERTS", vec![message]).await.unwrap();
    }
    let found = stored(world.server.address(), "ALERTS").await;
    assert_eq!(found.len(), 120);
    let mut partitions: BTreeMap<String, u8> = BTreeMap::new();
    for (_, subject, _) in found {
        let tokens: Vec<&str> = subject.split('.').collect();
        let [_, "alerts", partition, "alertmanager", key] = tokens[..] else {
            panic!("stored as {subject}");
        };
        let partition: u8 = partition.parse().unwrap();
        assert!(partition < 16);
        assert_eq!(*partitions.entry(key.to_owned()).or_insert(partition), partition, "{key}");
    }
    assert_eq!(partitions.len(), 30);
    let distinct: std::collections::BTreeSet<u8> = partitions.values().copied().collect();
    assert!(distinct.len() > 8, "30 keys in {} partitions", distinct.len());
}

#[tokio::test]
async fn making_the_streams_again_changes_nothing_and_keeps_what_an_operator_set() {
    let world = world().await;
    let jetstream = jetstream::new(client(world.server.address()).await);
    let mut config = jetstream.get_stream("INCIDENT").await.unwrap().cached_info().config.clone();
    config.max_age = std::time::Duration::from_secs(3600);
    config.allow_direct = false;
    jetstream.update_stream(config).await.unwrap();
    world.bus.ensure("incident").await.unwrap();
    world.bus.ensure("incident").await.unwrap();
    let config = jetstream.get_stream("INCIDENT").await.unwrap().cached_info().config.clone();
    assert_eq!(config.max_age, std::time::Duration::from_secs(3600));
    assert!(config.allow_direct && config.allow_atomic_publish);
    assert_eq!(config.subjects, ["steward.incident.>"]);
}

#[tokio::test]
async fn a_foreign_server_without_replicas_is_warned_of() {
    let world = world().await;
    assert!(world.bus.warnings().is_empty());
    let mut options = Options::own_server(world.server.address().clone(), "incident");
    options.syncs_always = false;
    let foreign = Bus::connect(options.clone()).await.unwrap();
    assert!(foreign.warnings()[0].contains("sync_interval"), "{:?}", foreign.warnings());
    assert!(!foreign.warnings()[0].contains('@'), "{:?}", foreign.warnings());
    options.replicas = 3;
    assert!(Bus::connect(options).await.unwrap().warnings().is_empty());
}
