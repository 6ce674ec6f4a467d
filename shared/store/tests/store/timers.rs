//! Transitions that a record takes by itself, once.

use std::sync::Arc;

use chrono::TimeDelta;
use engine::Command;
use kernel::{Actor, Channel};
use serde_json::json;
use store::{Act, DueTimer, RecordRef, Setback, Store, Target};

use crate::{
    everywhere,
    site::{Site, record_of, take},
};

everywhere!(
    a_timer_is_due_when_its_time_has_come_and_fires_once,
    leaving_a_state_ends_its_timers,
    a_timer_that_a_rule_refuses_does_not_come_again,
);

fn fire(site: &Site, timer: &DueTimer) -> Act {
    let mut cause = site.cause(&Arc::new(Actor::system("desk")));
    cause.channel = Channel::Timer;
    let target =
        Target::Record { process: timer.process.clone(), which: RecordRef::Id(timer.record) };
    Act::new(cause, target, vec![Command::Fire { transition: timer.transition.clone() }])
}

async fn due(site: &Site, store: &Store) -> Vec<DueTimer> {
    store.due_timers(site.clock.now(), 10).await.expect("timers")
}

async fn a_timer_is_due_when_its_time_has_come_and_fires_once(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    let next = store.next_due().await.expect("an answer").expect("a timer");
    assert_eq!(next, case.opened_at + TimeDelta::days(30));
    site.pass(TimeDelta::days(29));
    assert_eq!(due(site, &store).await, []);
    site.pass(TimeDelta::days(2));
    let timers = due(site, &store).await;
    assert_eq!(timers.len(), 1);
    assert_eq!((timers[0].record, timers[0].transition.as_str()), (case.id, "expire"));
    let closed = record_of(store.act(fire(site, &timers[0])).await);
    assert_eq!(closed.state, "closed");
    assert!(closed.closed_at.is_some());
    assert_eq!(store.next_due().await.expect("an answer"), None);
    // The same timer, late.
    assert!(matches!(store.act(fire(site, &timers[0])).await, Err(Setback::Refused(_))));
}

async fn leaving_a_state_ends_its_timers(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    record_of(store.act(site.on(&case, take("start"))).await);
    site.pass(TimeDelta::days(2));
    let timers = due(site, &store).await;
    let names: Vec<_> = timers.iter().map(|timer| timer.transition.as_str()).collect();
    assert_eq!(names, ["remind"]);
    // It stays in its state, and is not reminded again.
    let reminded = record_of(store.act(fire(site, &timers[0])).await);
    assert_eq!(reminded.state, "working");
    assert_eq!(store.next_due().await.expect("an answer"), None);
}

async fn a_timer_that_a_rule_refuses_does_not_come_again(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    site.meddle("UPDATE timer SET transition = 'finish'").await;
    site.pass(TimeDelta::days(31));
    let timers = due(site, &store).await;
    assert!(matches!(store.act(fire(site, &timers[0])).await, Err(Setback::Refused(_))));
    assert_eq!(due(site, &store).await, []);
    let refused = store.refusals(case.opened_at, 10).await.expect("refusals");
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].command.as_str(), refused[0].record), ("finish", Some(case.id)));
}
