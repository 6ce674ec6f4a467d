//! Rules are exchanged while the store works: every replica decides by what is in force.

use std::sync::Arc;

use chrono::TimeDelta;
use engine::{Command, Definition, Field, Filter, InForce, Ruleset};
use kernel::Reader;
use serde_json::json;
use store::{Act, Archive, Publication, Publishing, Query, RecordRef, Setback, Sort, Store};

use crate::{
    everywhere,
    site::{CASE, Site, done, record_of, take},
};

everywhere!(
    a_replica_decides_by_what_another_has_published,
    of_two_publications_at_once_one_is_overtaken,
    a_new_index_holds_what_was_there_before,
    a_definition_with_faults_stops_nobody_else,
);

/// What is in force: case in the version that `texts` ends with.
fn rules(edition: i64, texts: &[&str]) -> Arc<Ruleset> {
    let versions = texts.iter().zip(1..);
    let read = |(text, version): (&&str, u32)| Definition::read(text, version).expect("YAML");
    let definitions = versions.map(read).collect();
    Arc::new(Ruleset::in_force(InForce { edition, definitions, ..InForce::default() }))
}

fn publication(text: &str) -> Publication {
    Publication {
        kind: "process".into(),
        name: "case".into(),
        digest: format!("{:x}", text.len()),
        content: text.into(),
        origin: "local".into(),
    }
}

fn second() -> String {
    CASE.replace("starts: fresh", "starts: working")
}

/// Opens a case, and with it puts a second version in force.
fn publishing(site: &Site, text: &str, version: u32, edition: i64) -> Act {
    let publication = publication(text);
    let publishing = Publishing { publication, version, base: None, edition };
    Act { publishes: Some(publishing), ..site.opening("It changes", json!({})) }
}

async fn first_edition(site: &Site) {
    let archive = Archive::open(&site.options()).await.expect("an archive");
    assert!(archive.feed(&publication(CASE), site.clock.now()).await.expect("fed"));
    archive.close().await;
}

async fn a_replica_decides_by_what_another_has_published(site: &Site) {
    first_edition(site).await;
    let store = site.open_with(rules(1, &[CASE])).await;
    let other = site.open_with(rules(1, &[CASE])).await;
    let second = second();
    let before = record_of(store.act(publishing(site, &second, 2, 1)).await);
    assert_eq!((before.definition, before.state.as_str()), (1, "fresh"));

    // Neither opens by the old rules any more, nor moves what is there by them.
    let opening = site.opening("Later", json!({}));
    for (late, act) in [(&store, opening), (&other, site.on(&before, take("start")))] {
        tokio::select! {
            _ = late.act(act) => panic!("it was decided by rules that were replaced"),
            () = late.outdated() => {}
        }
    }
    let now = rules(2, &[CASE, &second]);
    store.adopt(Arc::clone(&now)).await.expect("adopted");
    other.adopt(now).await.expect("adopted");
    let after = site.case(&other, "After", json!({})).await;
    assert_eq!((after.definition, after.state.as_str()), (2, "working"));
    // What was born before keeps its version.
    let moved = record_of(store.act(site.on(&before, Command::Comment { text: "x".into() })).await);
    assert_eq!(moved.definition, 1);
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn of_two_publications_at_once_one_is_overtaken(site: &Site) {
    first_edition(site).await;
    let store = site.open_with(rules(1, &[CASE])).await;
    let (one, other) = (second(), CASE.replace("P30D", "P131D"));
    let acts = vec![publishing(site, &one, 2, 1), publishing(site, &other, 2, 1)];
    let results = store.act_all(acts).await;
    assert!(results[0].is_ok(), "{results:?}");
    assert!(matches!(results[1], Err(Setback::Overtaken)), "{results:?}");
    let catalogue = store.catalogue().await.expect("a catalogue");
    assert_eq!((catalogue.edition, catalogue.present[0].version), (2, 2));
    assert_eq!(catalogue.versions.len(), 2);
    assert_eq!(catalogue.in_use.iter().map(|(_, version)| *version).collect::<Vec<_>>(), [1]);
}

async fn a_new_index_holds_what_was_there_before(site: &Site) {
    let store = site.open_with(rules(1, &[CASE])).await;
    for title in ["One", "Two"] {
        site.case(&store, title, json!({})).await;
    }
    let indexed = CASE.replace("default: 0 }", "default: 0, index: number }");
    let now = rules(2, &[CASE, &indexed]);
    let found = async |store: &Store| {
        let definition = now.process("case").expect("a process");
        let filter = Some(Filter::parse(definition, "record.alarms == 0").expect("a filter"));
        let sort = Sort { field: Field::Number, descending: false };
        let process = "case".to_owned();
        let query = Query { process, filter, words: None, sort, limit: 10, cursor: None };
        store.list(&query, &Reader::Everything).await.map(|page| page.items.len())
    };
    assert!(matches!(found(&store).await, Err(Setback::Refused(_))));
    store.adopt(Arc::clone(&now)).await.expect("adopted");
    site.case(&store, "Three", json!({})).await;
    assert_eq!(found(&store).await.expect("a page"), 3);

    // Whoever filled it died on the way: it is filled at the next start.
    site.meddle("UPDATE slot SET filled = 0 WHERE field = 'alarms'").await;
    site.meddle("UPDATE record SET number2 = NULL").await;
    store.close().await;
    let store = site.open_with(Arc::clone(&now)).await;
    assert_eq!(found(&store).await.expect("a page"), 3);
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn a_definition_with_faults_stops_nobody_else(site: &Site) {
    let store = site.open_with(rules(1, &[CASE])).await;
    let old = site.case(&store, "Old", json!({})).await;
    let broken = CASE.replace("to: working, by: [agent]", "to: wroking, by: [agent]");
    store.adopt(rules(2, &[CASE, &broken])).await.expect("adopted");
    site.pass(TimeDelta::days(31));

    // Nothing is opened by it, and the timers of its process wait for it to be mended.
    let refused = store.act(site.opening("New", json!({}))).await;
    let Err(Setback::Hindered(why)) = refused else { panic!("{refused:?}") };
    let told = "version 2 of the process `case` cannot be worked by until it is mended: 31:19: ";
    assert!(why.starts_with(told), "{why}");
    assert!(store.due_timers(site.clock.now(), 9).await.expect("timers").is_empty());
    assert_eq!(store.next_due().await.expect("an instant"), None);
    // What was born with a sound version goes on, and everything can be read.
    done(store.act(site.on(&old, take("start"))).await);
    let read = store.record("case", &RecordRef::Id(old.id), &Reader::Everything).await;
    assert_eq!(read.expect("a record").expect("it is there").state, "working");

    store.adopt(rules(3, &[CASE, CASE])).await.expect("adopted");
    assert_eq!(site.case(&store, "New", json!({})).await.definition, 2);
}
