//! One command: decided, numbered, journalled, and never done twice.

use std::sync::Arc;

use chrono::TimeDelta;
use engine::Command;
use kernel::{Reader, Rule};
use serde_json::json;
use store::{Act, Once, RecordRef, Setback, Target};
use uuid::Uuid;

use crate::{
    everywhere,
    site::{Site, agent, amend, done, record_of, reporter, stranger, take},
};

everywhere!(
    an_opened_record_is_there_as_it_was_answered,
    a_command_changes_the_record_and_writes_history,
    several_commands_are_done_all_or_none,
    the_same_cause_opens_once,
    an_idempotency_key_answers_the_first_result_again,
    another_body_under_the_same_key_is_refused,
    a_stale_revision_is_told,
    what_a_reader_may_not_see_is_unknown,
    a_bad_command_fails_alone_and_leaves_no_gap_in_the_numbers,
    numbers_have_no_gaps_when_many_open_at_once,
    commands_in_order_stay_in_order,
    odd_text_is_kept_as_it_is,
    a_closed_store_says_so_and_finishes_what_was_queued,
    a_reopened_store_goes_on_where_it_was,
);

async fn an_opened_record_is_there_as_it_was_answered(site: &Site) {
    let store = site.open().await;
    let opened = site
        .case(&store, "Mail is down", json!({ "weight": 3, "due": "2026-04-01T08:00:00Z" }))
        .await;
    assert_eq!((opened.number.as_str(), opened.revision), ("CAS0000001", 1));
    let everything = Reader::Everything;
    let by_id = store.record("case", &RecordRef::Id(opened.id), &everything).await;
    assert_eq!(by_id.expect("an answer").as_ref(), Some(&opened));
    let by_number = store.record("case", &RecordRef::from("CAS0000001"), &everything).await;
    assert_eq!(by_number.expect("an answer").as_ref(), Some(&opened));
    let elsewhere = store.record("alarm", &RecordRef::Id(opened.id), &everything).await;
    assert_eq!(elsewhere.expect("an answer"), None);
}

async fn a_command_changes_the_record_and_writes_history(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail is down", json!({})).await;
    let act = site.on(&case, take("start"));
    let started = record_of(store.act(act).await);
    assert_eq!((started.state.as_str(), started.revision), ("working", 2));
    record_of(store.act(site.on(&case, amend(json!({ "weight": 4 })))).await);
    let comment = Command::Comment { text: "on it".into() };
    let last = record_of(store.act(site.on(&case, comment)).await);
    let history = store.history(case.id, 0, 100).await.expect("a history");
    let events: Vec<_> = history.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(
        events,
        ["case.opened.v1", "case.started.v1", "case.amended.v1", "case.commented.v1"]
    );
    let payload = history[3].payload.as_ref().expect("a payload");
    assert_eq!(payload["record"], last.view());
    assert_eq!(payload["comment"], "on it");
    assert_eq!(payload["actor"]["id"], "person:PER0000001");
    let later = store.history(case.id, 2, 1).await.expect("a history");
    assert_eq!(later.iter().map(|entry| entry.revision).collect::<Vec<_>>(), [3]);
}

async fn several_commands_are_done_all_or_none(site: &Site) {
    let store = site.open().await;
    let mut act = site.opening("Mail is down", json!({}));
    act.commands.push(take("start"));
    act.commands.push(Command::Comment { text: "begun at once".into() });
    let answer = done(store.act(act).await);
    assert_eq!(answer.steps.len(), 3);
    let case = answer.record.expect("a record");
    assert_eq!((case.state.as_str(), case.revision), ("working", 3));
    let mut act = site.on(&case, amend(json!({ "weight": 2 })));
    act.commands.push(take("nonsense"));
    assert!(matches!(store.act(act).await, Err(Setback::Refused(_))));
    let now = store.record("case", &RecordRef::Id(case.id), &Reader::Everything).await;
    assert_eq!(now.expect("an answer"), Some((*case).clone()));
}

async fn the_same_cause_opens_once(site: &Site) {
    let store = site.open().await;
    let act = site.opening("Mail is down", json!({}));
    let first = done(store.act(act.clone()).await);
    let again = done(store.act(act.clone()).await);
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(first.record, again.record);
    let both = store.act_all(vec![act.clone(), act]).await;
    assert!(both.into_iter().all(|answer| done(answer).replayed));
}

fn keyed(mut act: Act, key: &str, body: &str) -> Act {
    let (scope, key, digest) = ("PER0000001 /cases".into(), key.into(), body.into());
    act.once = Some(Once { scope, key, digest });
    act
}

async fn an_idempotency_key_answers_the_first_result_again(site: &Site) {
    let store = site.open().await;
    let first = done(store.act(keyed(site.opening("Mail", json!({})), "k1", "a")).await);
    let case = first.record.clone().expect("a record");
    record_of(store.act(site.on(&case, take("start"))).await);
    let again = done(store.act(keyed(site.opening("Mail", json!({})), "k1", "a")).await);
    assert!(again.replayed);
    assert_eq!(again.record, first.record);
    // Both in one batch: the second finds what the first is about to write.
    let twins = [(); 2].map(|()| keyed(site.on(&case, amend(json!({ "weight": 1 }))), "k2", "b"));
    let answers = store.act_all(twins.into()).await.into_iter().map(done);
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers.iter().map(|done| done.replayed).collect::<Vec<_>>(), [false, true]);
    assert_eq!(answers[0].record, answers[1].record);
    assert_eq!(answers[0].record.as_ref().map(|case| case.revision), Some(3));
}

async fn another_body_under_the_same_key_is_refused(site: &Site) {
    let store = site.open().await;
    done(store.act(keyed(site.opening("Mail", json!({})), "k", "a")).await);
    let other = store.act(keyed(site.opening("Web", json!({})), "k", "b")).await;
    assert!(matches!(other, Err(Setback::KeyReused)));
    site.pass(TimeDelta::days(2));
    assert_eq!(store.prune(site.clock.now() - TimeDelta::days(1)).await.expect("a count"), 1);
    done(store.act(keyed(site.opening("Web", json!({})), "k", "b")).await);
}

async fn a_stale_revision_is_told(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    let mut act = site.on(&case, amend(json!({ "weight": 1 })));
    act.expect = Some(1);
    record_of(store.act(act.clone()).await);
    assert!(matches!(store.act(act).await, Err(Setback::Stale { revision: 2 })));
}

async fn what_a_reader_may_not_see_is_unknown(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({ "reporter": "PER0000002" })).await;
    let which = RecordRef::Id(case.id);
    for (actor, sees) in [(agent(), true), (reporter(), true), (stranger(), false)] {
        let found = store.record("case", &which, &actor.reader()).await.expect("an answer");
        assert_eq!(found.is_some(), sees, "{}", actor.id);
    }
    let target = Target::Record { process: "case".into(), which };
    let comment = Command::Comment { text: "hello".into() };
    let act = Act::new(site.cause(&stranger()), target.clone(), vec![comment]);
    assert!(matches!(store.act(act).await, Err(Setback::Unknown)));
    let act = Act::new(site.cause(&reporter()), target, vec![take("start")]);
    let Err(Setback::Refused(refusal)) = store.act(act).await else { panic!("it was not refused") };
    assert_eq!(refusal.rule, Rule::Role);
    let ghost = Target::Record { process: "case".into(), which: RecordRef::Id(Uuid::nil()) };
    let act = Act::new(site.cause(&agent()), ghost, vec![take("start")]);
    assert!(matches!(store.act(act).await, Err(Setback::Unknown)));
}

async fn a_bad_command_fails_alone_and_leaves_no_gap_in_the_numbers(site: &Site) {
    let store = site.open().await;
    let acts = (0..20).map(|n| {
        // An unknown field in every third.
        let fields = if n % 3 == 0 { json!({ "nonsense": 1 }) } else { json!({}) };
        site.opening(&format!("case {n}"), fields)
    });
    let answers = store.act_all(acts.collect()).await;
    let numbers: Vec<_> = answers
        .into_iter()
        .filter_map(|answer| Some(answer.ok()?.record?.number.clone()))
        .collect();
    let expected: Vec<_> = (1..=13).map(|n| format!("CAS{n:07}")).collect();
    assert_eq!(numbers, expected);
}

async fn numbers_have_no_gaps_when_many_open_at_once(site: &Site) {
    let store = site.open().await;
    let site = Arc::new(site);
    let all = (0..120).map(|n| {
        let fields = if n % 5 == 0 { json!({ "nonsense": 1 }) } else { json!({}) };
        store.act(site.opening(&format!("case {n}"), fields))
    });
    let answers = futures::future::join_all(all).await;
    let numbers =
        answers.into_iter().filter_map(|answer| Some(answer.ok()?.record?.number.clone()));
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort();
    let expected: Vec<_> = (1..=96).map(|n| format!("CAS{n:07}")).collect();
    assert_eq!(numbers, expected);
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn commands_in_order_stay_in_order(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    let acts = (0..700).map(|n| site.on(&case, amend(json!({ "weight": n + 1 }))));
    for (n, answer) in store.act_all(acts.collect()).await.into_iter().enumerate() {
        assert_eq!(record_of(answer).revision, n as u64 + 2);
    }
    let history = store.history(case.id, 0, 1_000).await.expect("a history");
    assert_eq!(history.len(), 701);
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn odd_text_is_kept_as_it_is(site: &Site) {
    let store = site.open().await;
    let long = "ä".repeat(1_500);
    for title in ["'; DROP TABLE record; --", "🦀 \"quoted\" \\ $1 ?", long.as_str()] {
        let case = site.case(&store, title, json!({})).await;
        let found = store.record("case", &RecordRef::Id(case.id), &Reader::Everything).await;
        assert_eq!(found.expect("an answer").expect("a record").data["title"], title);
    }
    // Bodies with a NUL are refused at the door; what comes another way must not break the store.
    let case = site.case(&store, "nul\0inside", json!({})).await;
    let found = store.record("case", &RecordRef::Id(case.id), &Reader::Everything).await;
    assert_eq!(found.expect("an answer").as_ref(), Some(&case));
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn a_closed_store_says_so_and_finishes_what_was_queued(site: &Site) {
    let store = site.open().await;
    let acts: Vec<_> = (0..300).map(|n| site.opening(&format!("case {n}"), json!({}))).collect();
    let queued = {
        let store = store.clone();
        tokio::spawn(async move { store.act_all(acts).await })
    };
    // The first commit shows that the acts are in the queue.
    store.written().changed().await.expect("a commit");
    store.close().await;
    let answers = queued.await.expect("the task ends");
    assert_eq!(answers.into_iter().filter(Result::is_ok).count(), 300);
    let late = store.act(site.opening("late", json!({}))).await;
    assert!(matches!(late, Err(Setback::Broken(_))));
}

async fn a_reopened_store_goes_on_where_it_was(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({ "weight": 3 })).await;
    store.close().await;
    let store = site.open().await;
    let started = record_of(store.act(site.on(&case, take("start"))).await);
    assert_eq!((started.revision, &started.data), (2, &case.data));
    assert_eq!(site.case(&store, "Web", json!({})).await.number, "CAS0000002");
}
