//! Rules that ask what a record is tied to.

use std::sync::Arc;

use engine::{Command, Definition, Link, Record, Ruleset, Schemes};
use kernel::{Reader, Rule};
use serde_json::json;
use store::{Act, RecordRef, Setback, Store, Target};

use crate::{
    everywhere,
    site::{Site, agent, object, record_of, take},
};

everywhere!(
    a_guard_asks_what_its_record_is_tied_to,
    the_other_end_is_known_within_one_batch,
    what_is_derived_follows_from_links,
    a_link_is_ended_by_either_end,
    what_is_ended_and_made_again_in_one_batch_is_there,
);

const FIX: &str = r#"
process: fix
collection: fixes
number: FIX
roles: { agent: {} }
fields:
  properties:
    ties: { type: integer, readOnly: true }
derive:
  ties: size(links)
audience: ['role:agent']
links: { fixes: fixed_by }
starts: open
states:
  open:
    finish: { to: done, by: [agent], when: "links.exists(l, l.type == 'fixes' && l.process == 'fix')", because: it fixes nothing }
    drop:   { to: done, by: [agent], when: "links.exists(l, l.type == 'fixed_by')" }
  done: {}
"#;

async fn open(site: &Site) -> Store {
    let definition = Definition::parse(FIX, 1).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let rules = Ruleset::new(vec![definition], Schemes::default());
    site.open_with(Arc::new(rules.unwrap_or_else(|faults| panic!("{faults:?}")))).await
}

async fn fix(site: &Site, store: &Store) -> Record {
    let target = Target::New { process: "fix".into() };
    let data = object(json!({}));
    record_of(store.act(Act::new(site.cause(&agent()), target, vec![Command::Open { data }])).await)
}

fn tie(from: &Record, to: &Record) -> (Record, Command) {
    (from.clone(), Command::Link { relation: "fixes".into(), to: to.linked() })
}

async fn offered(store: &Store, record: &Record) -> Vec<(String, bool)> {
    let read = store.record("fix", &RecordRef::Id(record.id), &Reader::Everything).await;
    let read = read.expect("an answer").expect("a record");
    let offers = engine::offers(
        &store.rules(),
        &read,
        &agent(),
        &engine::Languages::default(),
        read.updated_at,
    );
    offers.into_iter().map(|offer| (offer.name, offer.refused_because.is_none())).collect()
}

async fn a_guard_asks_what_its_record_is_tied_to(site: &Site) {
    let store = open(site).await;
    let (one, other) = (fix(site, &store).await, fix(site, &store).await);
    match store.act(site.on(&one, take("finish"))).await {
        Err(Setback::Refused(refusal)) => {
            assert_eq!(refusal.rule, Rule::Guard);
            assert_eq!(refusal.faults[0].message, "it fixes nothing");
        }
        wrong => panic!("{wrong:?}"),
    }
    let (record, link) = tie(&one, &other);
    record_of(store.act(site.on(&record, link)).await);
    let only = |name: &str| ["finish", "drop"].map(|known| (known.to_owned(), known == name));
    assert_eq!(offered(&store, &one).await, only("finish"));
    assert_eq!(offered(&store, &other).await, only("drop"));
    assert!(store.act(site.on(&other, take("finish"))).await.is_err());
    for (record, transition) in [(&one, "finish"), (&other, "drop")] {
        let done = record_of(store.act(site.on(record, take(transition))).await);
        assert_eq!(done.state, "done");
    }
    let report = store.verify().await.expect("a report");
    assert!(report.is_sound(), "{report:?}");
}

async fn the_other_end_is_known_within_one_batch(site: &Site) {
    let store = open(site).await;
    let (one, other) = (fix(site, &store).await, fix(site, &store).await);
    let (record, link) = tie(&one, &other);
    let acts =
        vec![site.on(&record, link), site.on(&other, take("drop")), site.on(&one, take("finish"))];
    for done in store.act_all(acts).await {
        record_of(done);
    }
}

async fn what_is_derived_follows_from_links(site: &Site) {
    let store = open(site).await;
    let (one, other) = (fix(site, &store).await, fix(site, &store).await);
    assert_eq!(one.data["ties"], 0);
    let (record, link) = tie(&one, &other);
    let tied = record_of(store.act(site.on(&record, link)).await);
    assert_eq!(tied.data["ties"], 1);
    // The other end changes when something is done to it.
    let dropped = record_of(store.act(site.on(&other, take("drop"))).await);
    assert_eq!(dropped.data["ties"], 1);
    let report = store.verify().await.expect("a report");
    assert!(report.is_sound(), "{report:?}");
}

/// As one end calls it, whichever made it.
fn end(from: &Record, relation: (&str, &str), to: &Record) -> (Record, Command) {
    let (relation, inverse) = (relation.0.to_owned(), relation.1.to_owned());
    (from.clone(), Command::Unlink { link: Link { relation, inverse, to: to.linked() } })
}

async fn a_link_is_ended_by_either_end(site: &Site) {
    let store = open(site).await;
    let (one, other) = (fix(site, &store).await, fix(site, &store).await);
    let ends = [end(&one, ("fixes", "fixed_by"), &other), end(&other, ("fixed_by", "fixes"), &one)];
    for (record, command) in ends {
        let (from, link) = tie(&one, &other);
        assert_eq!(record_of(store.act(site.on(&from, link)).await).data["ties"], 1);
        let ended = record_of(store.act(site.on(&record, command.clone())).await);
        assert_eq!(ended.data["ties"], 0);
        for side in [&one, &other] {
            let links = store.links(side.id, &Reader::Everything).await.expect("links");
            assert_eq!(links, []);
        }
        match store.act(site.on(&record, command)).await {
            Err(Setback::Refused(refusal)) => assert_eq!(refusal.faults[0].code, "not_linked"),
            wrong => panic!("{wrong:?}"),
        }
    }
    // A guard that asked for it holds no longer.
    assert!(store.act(site.on(&one, take("finish"))).await.is_err());
    let report = store.verify().await.expect("a report");
    assert!(report.is_sound(), "{report:?}");
}

async fn what_is_ended_and_made_again_in_one_batch_is_there(site: &Site) {
    let store = open(site).await;
    let (one, other) = (fix(site, &store).await, fix(site, &store).await);
    let link = || {
        let (record, link) = tie(&one, &other);
        site.on(&record, link)
    };
    let unlink = || {
        let (record, unlink) = end(&one, ("fixes", "fixed_by"), &other);
        site.on(&record, unlink)
    };
    let acts = vec![link(), unlink(), link(), unlink(), link(), site.on(&other, take("drop"))];
    for done in store.act_all(acts).await {
        record_of(done);
    }
    let links = store.links(one.id, &Reader::Everything).await.expect("links");
    assert_eq!(links.len(), 1);
}
