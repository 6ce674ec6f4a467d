//! Two replicas of the service on one database: what comes due is done once, whoever lives.

use engine::Record;
use kernel::Reader;
use serde_json::{Value, json};
use store::{PAGE_LIMIT, Query, Store};

use crate::{
    case::at,
    desk::{Desk, Site, event, everywhere},
};

everywhere!(nobody_fires_a_timer_twice_and_the_other_takes_over);

const CLOCKS: u8 = 120;

async fn clocks(store: &Store) -> Vec<Record> {
    let all = Query { limit: PAGE_LIMIT, ..Query::of("clock") };
    store.list(&all, &Reader::Everything).await.unwrap().items
}

async fn breached(store: &Store) -> usize {
    clocks(store).await.iter().filter(|clock| clock.state == "breached").count()
}

/// How often a clock said that it was missed.
async fn misses(store: &Store, clock: &Record) -> usize {
    let history = store.history(clock.id, 0, 100).await.unwrap();
    history.iter().filter(|entry| entry.kind == "clock.breached.v1").count()
}

async fn nobody_fires_a_timer_twice_and_the_other_takes_over(site: &Site) {
    let mut desk = Desk::open(site).await;
    let second = site.replica().await;
    let opened = "2026-03-02T08:00:00Z";
    let said = event(1, opened, "opened", Value::Null, "new", json!({ "priority": 1 }));
    for incident in 0..CLOCKS {
        desk.hears_of(incident, &said).await;
    }
    // All are due at noon, and both replicas know.
    desk.clock.move_to(at("2026-03-02T12:00:00Z"));
    let (one, two) = tokio::join!(desk.running.settle(), second.settle());
    let _ = (one.unwrap(), two.unwrap());
    let store = second.office.store.clone();
    assert_eq!(breached(&store).await, usize::from(CLOCKS));
    for clock in clocks(&store).await {
        assert_eq!(misses(&store, &clock).await, 1, "{}", clock.number);
    }

    // Half of them get another day. One replica ends while it fires; the other does the rest.
    let later = "2026-03-02T12:00:00Z";
    desk.clock.move_to(at(later));
    let again = event(1, later, "opened", Value::Null, "new", json!({ "priority": 1 }));
    for incident in CLOCKS..2 * CLOCKS {
        desk.hears_of(incident, &again).await;
    }
    desk.clock.move_to(at("2026-03-02T16:00:00Z"));
    let begun = async {
        let what = "the first to be missed";
        let deadline = std::time::Duration::from_secs(60);
        testkit::eventually(what, deadline, async || {
            (breached(&store).await > usize::from(CLOCKS)).then_some(())
        })
        .await;
    };
    tokio::select! {
        _ = desk.running.settle() => {}
        () = begun => {}
    }
    desk.running.stop(std::time::Duration::ZERO).await;
    let _ = second.settle().await.unwrap();
    assert_eq!(breached(&store).await, 2 * usize::from(CLOCKS));
    for clock in clocks(&store).await {
        assert_eq!(misses(&store, &clock).await, 1, "{}", clock.number);
    }
    assert!(store.verify().await.unwrap().is_sound());
}
