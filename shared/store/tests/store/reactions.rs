//! What processes of one service make of each other's facts, in one transaction.

use kernel::Reader;
use serde_json::json;
use store::{Query, RecordRef, Setback, Store};

use crate::{
    everywhere,
    site::{Site, done, record_of, take},
};

everywhere!(
    an_event_opens_a_record_and_what_follows_from_it,
    a_repeated_event_finds_its_record,
    events_of_one_group_raise_one_case,
    a_storm_in_one_batch_raises_one_case_a_group,
    a_finished_record_is_succeeded_by_a_linked_one,
    a_reaction_that_is_refused_stops_nobody,
    an_event_that_cannot_be_understood_is_refused_whole,
    a_link_is_seen_from_both_ends_and_made_once,
);

async fn all(store: &Store, process: &str) -> Vec<engine::Record> {
    let page = store.list(&Query { limit: 500, ..Query::of(process) }, &Reader::Everything).await;
    let mut items = page.expect("a page").items;
    items.sort_by(|one, other| one.number.cmp(&other.number));
    items
}

async fn an_event_opens_a_record_and_what_follows_from_it(site: &Site) {
    let store = site.open().await;
    let answer = done(store.act(site.signal("signal.firing.v1", "disk", "web")).await);
    let events: Vec<_> = answer
        .steps
        .iter()
        .map(|step| (step.record.process.as_str(), step.fact.event.as_str()))
        .collect();
    assert_eq!(events, [("alarm", "opened"), ("case", "opened"), ("case", "linked")]);
    let alarm = answer.record.expect("a record");
    assert_eq!(alarm.process, "alarm");
    let case = &answer.steps[2].record;
    let history = store.history(case.id, 0, 10).await.expect("a history");
    let cause = store.history(alarm.id, 0, 1).await.expect("a history")[0].event_id;
    assert_eq!(history[0].causation, Some(cause.to_string()));
    assert_eq!(history[0].actor, "system:desk");
    assert_eq!(case.opened_by, "system:desk");
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn a_repeated_event_finds_its_record(site: &Site) {
    let store = site.open().await;
    for _ in 0..3 {
        done(store.act(site.signal("signal.firing.v1", "disk", "web")).await);
    }
    let alarms = all(&store, "alarm").await;
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].data["count"], 3);
    assert_eq!(all(&store, "case").await.len(), 1);
}

async fn events_of_one_group_raise_one_case(site: &Site) {
    let store = site.open().await;
    for key in ["disk", "memory", "load"] {
        done(store.act(site.signal("signal.firing.v1", key, "web")).await);
    }
    let cases = all(&store, "case").await;
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].data["alarms"], 3);
    assert_eq!(store.links(cases[0].id, &Reader::Everything).await.expect("links").len(), 3);
}

async fn a_storm_in_one_batch_raises_one_case_a_group(site: &Site) {
    let store = site.open().await;
    let key = |n: usize| (format!("alarm-{}", n % 100), format!("group-{}", n % 100 % 10));
    let acts = (0..400).map(|n| site.signal("signal.firing.v1", &key(n).0, &key(n).1));
    let answers = futures::future::join_all(acts.map(|act| store.act(act))).await;
    answers.into_iter().for_each(|answer| drop(done(answer)));
    let (alarms, cases) = (all(&store, "alarm").await, all(&store, "case").await);
    assert_eq!((alarms.len(), cases.len()), (100, 10));
    assert!(alarms.iter().all(|alarm| alarm.data["count"] == 4));
    assert!(cases.iter().all(|case| case.data["alarms"] == 10));
    let report = store.verify().await.expect("a report");
    assert!(report.is_sound(), "{report:?}");
}

async fn a_finished_record_is_succeeded_by_a_linked_one(site: &Site) {
    let store = site.open().await;
    done(store.act(site.signal("signal.firing.v1", "disk", "web")).await);
    done(store.act(site.signal("signal.resolved.v1", "disk", "web")).await);
    let case = all(&store, "case").await.remove(0);
    record_of(store.act(site.on(&case, take("start"))).await);
    record_of(store.act(site.on(&case, take("finish"))).await);
    let answer = done(store.act(site.signal("signal.firing.v1", "disk", "web")).await);
    let alarm = answer.record.expect("a record");
    assert_eq!(alarm.number, "ALM0000002");
    let links = store.links(alarm.id, &Reader::Everything).await.expect("links");
    let seen: Vec<_> =
        links.iter().map(|link| (link.relation.as_str(), link.other.number.as_str())).collect();
    assert_eq!(seen, [("recurs", "ALM0000001"), ("raised", "CAS0000002")]);
    let before = store.links(case.id, &Reader::Everything).await.expect("links");
    assert!(before.iter().any(|link| link.relation == "recurred_as"));
    // The key has moved on.
    let held = store.held("alarm", "disk").await.expect("an answer").expect("a record");
    assert_eq!(held.number, "ALM0000002");
    assert_eq!(store.held("case", "disk").await.expect("an answer"), None);
    done(store.act(site.signal("signal.firing.v1", "disk", "web")).await);
    assert_eq!(all(&store, "alarm").await[1].data["count"], 2);
}

async fn a_reaction_that_is_refused_stops_nobody(site: &Site) {
    let store = site.open().await;
    done(store.act(site.signal("signal.firing.v1", "disk", "web")).await);
    let case = all(&store, "case").await.remove(0);
    // The case's title is longer than the schema allows: the case refuses to be opened.
    let mut act = site.signal("signal.firing.v1", "memory", "other");
    if let store::Target::Events(happenings) = &mut act.target {
        happenings[0].event["title"] = json!("x".repeat(3_000));
    }
    let answer = done(store.act(act).await);
    assert_eq!((answer.steps.len(), answer.refused.len()), (1, 1));
    assert_eq!(all(&store, "alarm").await.len(), 2);
    assert_eq!(all(&store, "case").await.len(), 1);
    let refused = store.refusals(case.opened_at, 10).await.expect("refusals");
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (refused[0].command.as_str(), refused[0].process.as_str()),
        ("alarm.opened.v1", "case")
    );
    // No number was used up.
    done(store.act(site.signal("signal.firing.v1", "load", "third")).await);
    assert_eq!(all(&store, "case").await[1].number, "CAS0000002");
}

async fn an_event_that_cannot_be_understood_is_refused_whole(site: &Site) {
    let store = site.open().await;
    let mut act = site.signal("signal.firing.v1", "disk", "web");
    if let store::Target::Events(happenings) = &mut act.target {
        happenings[0].event = json!({ "key": "disk" });
    }
    assert!(matches!(store.act(act).await, Err(Setback::Refused(_))));
    assert_eq!(all(&store, "alarm").await, []);
    // An event that concerns nobody is done with at once.
    let answer = done(store.act(site.signal("weather.changed.v1", "disk", "web")).await);
    assert!(answer.steps.is_empty() && answer.record.is_none());
}

async fn a_link_is_seen_from_both_ends_and_made_once(site: &Site) {
    let store = site.open().await;
    let (one, other) =
        (site.case(&store, "one", json!({})).await, site.case(&store, "other", json!({})).await);
    let link = engine::Command::Link { relation: "recurs".into(), to: one.linked() };
    record_of(store.act(site.on(&other, link.clone())).await);
    for (case, relation, end) in [(&other, "recurs", &one), (&one, "recurred_as", &other)] {
        let links = store.links(case.id, &Reader::Everything).await.expect("links");
        assert_eq!(links.len(), 1);
        assert_eq!((links[0].relation.as_str(), &links[0].other), (relation, &end.linked()));
    }
    assert!(matches!(store.act(site.on(&other, link)).await, Err(Setback::Refused(_))));
    let found = store.record("case", &RecordRef::Id(other.id), &Reader::Everything).await;
    assert_eq!(found.expect("an answer").expect("a record").revision, 2);
}
