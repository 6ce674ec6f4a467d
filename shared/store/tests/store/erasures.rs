//! What is taken out of a record and its history for good, and what stays.

use std::{collections::BTreeSet, sync::Arc};

use engine::{Command, Erasure, Record};
use kernel::{Actor, Reader, Rule};
use serde_json::json;
use store::{Act, Query, Setback, Store, Words};

use crate::{
    everywhere,
    site::{Site, amend, record_of, take, tell},
};

everywhere!(
    what_is_erased_is_nowhere_and_the_chain_holds,
    a_comment_is_erased_by_its_revision,
    only_an_administrator_erases_what_is_told,
    one_erasure_may_take_what_another_shows,
);

fn administrator() -> Arc<Actor> {
    let roles = BTreeSet::from([kernel::ADMINISTRATOR.to_owned()]);
    let (id, name) = ("person:PER0000007".to_owned(), "Root".to_owned());
    Arc::new(Actor { id, name, roles, groups: BTreeSet::new() })
}

fn erasing(site: &Site, record: &Record, fields: &[&str], revisions: &[u64]) -> Act {
    let erasure = Erasure {
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        revisions: revisions.to_vec(),
        reason: "The person asked for it.".into(),
    };
    let act = site.on(record, Command::Erase(erasure));
    Act { cause: site.cause(&administrator()), reader: Reader::Everything, ..act }
}

async fn found(store: &Store, words: &str) -> usize {
    let words = Some(Words::parse(words).expect("words"));
    let page = store.list(&Query { words, ..Query::of("case") }, &Reader::Everything).await;
    page.expect("a page").items.len()
}

async fn what_is_erased_is_nowhere_and_the_chain_holds(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Ada is ill", json!({ "reporter": "PER0000002" })).await;
    record_of(store.act(site.on(&case, take("start"))).await);
    record_of(store.act(site.on(&case, amend(json!({ "title": "Sick leave" })))).await);
    record_of(store.act(site.on(&case, amend(json!({ "weight": 3 })))).await);
    tell(&store).await;
    let act = erasing(site, &case, &["title", "reporter"], &[]);
    let erased = record_of(store.act(act).await);
    assert_eq!(erased.data["title"], "[erased]", "it is required");
    assert_eq!(erased.data.get("reporter"), None);
    assert_eq!((&erased.data["weight"], erased.revision), (&json!(3), 5));
    assert!(!erased.audience.contains(&"person:PER0000002".to_owned()), "{erased:?}");
    assert_eq!((found(&store, "ada ill").await, found(&store, "sick").await), (0, 0));

    let history = store.history(case.id, 0, 10).await.expect("a history");
    let gone: Vec<_> = history.iter().map(|entry| entry.payload.is_none()).collect();
    assert_eq!(gone, [true, true, true, true, false]);
    let last = history[4].payload.as_ref().expect("the erasure itself");
    assert_eq!(last["erasure"]["revisions"], json!([1, 2, 3, 4]));
    let text = last.to_string();
    assert!(!text.contains("Sick") && !text.contains("PER0000002"), "{text}");
    let report = store.verify().await.expect("a report");
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.erased, 4);

    // The record goes on, and what is done to it behind the store's back still shows.
    record_of(store.act(site.on(&case, amend(json!({ "weight": 4 })))).await);
    assert!(store.verify().await.expect("a report").is_sound());
    site.meddle("UPDATE record SET data = '{\"title\": \"[erased]\", \"weight\": 5}'").await;
    let report = store.verify().await.expect("a report");
    assert!(report.faults[0].what.contains("its last entry"), "{report:?}");
}

async fn a_comment_is_erased_by_its_revision(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    for text in ["Ada was fired", "The mail works"] {
        let said = Command::Comment { text: text.into() };
        record_of(store.act(site.on(&case, said)).await);
    }
    tell(&store).await;
    record_of(store.act(erasing(site, &case, &[], &[2])).await);
    let history = store.history(case.id, 0, 10).await.expect("a history");
    let gone: Vec<_> = history.iter().map(|entry| entry.payload.is_none()).collect();
    assert_eq!(gone, [false, true, false, false]);
    assert_eq!((found(&store, "fired").await, found(&store, "works").await), (0, 1));
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn only_an_administrator_erases_what_is_told(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    let refused = async |act: Act| match store.act(act).await {
        Err(Setback::Refused(refusal)) => (refusal.rule, refusal.faults[0].code.to_string()),
        other => panic!("{other:?}"),
    };
    let untold = refused(erasing(site, &case, &["title"], &[])).await;
    assert_eq!(untold, (Rule::State, "untold".into()));
    tell(&store).await;
    let agents =
        Act { cause: site.cause(&crate::site::agent()), ..erasing(site, &case, &["title"], &[]) };
    assert_eq!(refused(agents).await, (Rule::Role, "role".into()));
    for (fields, revisions, code) in [
        (vec!["colour"], vec![], "unknown_field"),
        (vec![], vec![9], "unknown_revision"),
        (vec![], vec![], "nothing"),
    ] {
        let wrong = refused(erasing(site, &case, &fields, &revisions)).await;
        assert_eq!(wrong, (Rule::Invalid, code.into()));
    }
    assert_eq!(store.history(case.id, 0, 10).await.expect("a history").len(), 1);
    record_of(store.act(erasing(site, &case, &["title"], &[])).await);
    tell(&store).await;
    // That it was done is not taken back.
    let hidden = refused(erasing(site, &case, &[], &[2])).await;
    assert_eq!(hidden, (Rule::Invalid, "erasure".into()));
}

async fn one_erasure_may_take_what_another_shows(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({ "weight": 3 })).await;
    tell(&store).await;
    record_of(store.act(erasing(site, &case, &["title"], &[])).await);
    tell(&store).await;
    // The first erasure still shows the weight.
    record_of(store.act(erasing(site, &case, &["weight"], &[])).await);
    let report = store.verify().await.expect("a report");
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.erased, 2);
    let erasures = store.erasures(case.id).await.expect("erasures");
    let kept: Vec<_> =
        erasures.iter().map(|entry| (entry.revision, entry.payload.is_some())).collect();
    assert_eq!(kept, [(2, false), (3, true)]);
}
