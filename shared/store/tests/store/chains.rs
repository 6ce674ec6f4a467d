//! What was written behind the store's back is found, and what was refused is on record.

use std::sync::Arc;

use chrono::TimeDelta;
use engine::Command;
use serde_json::json;
use store::{Act, RecordRef, Report, Setback, Store, Target};

use crate::{
    everywhere,
    site::{Site, amend, record_of, reporter, stranger, take},
};

everywhere!(
    an_untouched_store_is_sound,
    a_changed_payload_is_found,
    a_changed_row_is_found,
    a_changed_place_in_lists_is_found,
    a_removed_entry_is_found,
    a_removed_tail_is_found,
    a_removed_record_is_found,
    a_forged_actor_is_found,
    content_that_somebody_took_is_found,
    refusals_are_kept_in_a_chain_of_their_own,
    a_flood_of_refusals_is_bounded,
);

async fn filled(site: &Site) -> Store {
    let store = site.open().await;
    for n in 0..3 {
        let case = site.case(&store, &format!("case {n}"), json!({})).await;
        record_of(store.act(site.on(&case, take("start"))).await);
        record_of(store.act(site.on(&case, amend(json!({ "weight": 1 })))).await);
    }
    store
}

async fn report(store: &Store) -> Report {
    store.verify().await.expect("a report")
}

async fn finds(site: &Site, sql: &str, number: &str, what: &str) {
    let store = filled(site).await;
    assert!(site.meddle(sql).await > 0, "{sql}");
    let report = report(&store).await;
    let fault = report.faults.first().unwrap_or_else(|| panic!("nothing was found: {sql}"));
    assert_eq!(fault.number, number, "{fault:?}");
    assert!(fault.what.contains(what), "{fault:?}");
}

async fn an_untouched_store_is_sound(site: &Site) {
    let store = filled(site).await;
    let report = report(&store).await;
    assert_eq!((report.records, report.entries, report.refusals, report.erased), (3, 9, 0, 0));
    assert!(report.is_sound(), "{report:?}");
}

async fn a_changed_payload_is_found(site: &Site) {
    let other = "(SELECT payload FROM journal WHERE number = 'CAS0000001' AND revision = 2)";
    let sql = format!(
        "UPDATE journal SET payload = {other} WHERE number = 'CAS0000002' AND revision = 2"
    );
    finds(site, &sql, "CAS0000002", "not what was recorded").await;
}

async fn a_changed_row_is_found(site: &Site) {
    let sql = "UPDATE record SET state = 'closed' WHERE number = 'CAS0000003'";
    finds(site, sql, "CAS0000003", "not what its history makes of it").await;
}

async fn a_changed_place_in_lists_is_found(site: &Site) {
    let sql = "UPDATE standing SET state = 'closed' \
        WHERE record_id = (SELECT id FROM record WHERE number = 'CAS0000003')";
    finds(site, sql, "CAS0000003", "lists find it elsewhere").await;
}

async fn a_removed_entry_is_found(site: &Site) {
    let sql = "DELETE FROM journal WHERE number = 'CAS0000002' AND revision = 2";
    finds(site, sql, "CAS0000002", "revision 2 is missing").await;
}

async fn a_removed_tail_is_found(site: &Site) {
    let sql = "DELETE FROM journal WHERE number = 'CAS0000001' AND revision = 3";
    finds(site, sql, "CAS0000001", "2 of its 3 entries").await;
}

async fn a_removed_record_is_found(site: &Site) {
    let sql = "DELETE FROM record WHERE number = 'CAS0000002'";
    finds(site, sql, "CAS0000002", "is gone").await;
}

async fn a_forged_actor_is_found(site: &Site) {
    let sql = "UPDATE journal SET actor = 'person:PER0000666' WHERE number = 'CAS0000001' AND revision = 2";
    finds(site, sql, "CAS0000001", "does not follow").await;
}

async fn content_that_somebody_took_is_found(site: &Site) {
    let sql = "UPDATE journal SET payload = NULL, salt = NULL \
        WHERE number = 'CAS0000001' AND revision = 2";
    finds(site, sql, "CAS0000001", "nobody is on record").await;
}

async fn refusals_are_kept_in_a_chain_of_their_own(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({ "reporter": "PER0000002", "weight": 9 })).await;
    let before = site.clock.now();
    let target = Target::Record { process: "case".into(), which: RecordRef::Id(case.id) };
    let act = Act::new(site.cause(&reporter()), target.clone(), vec![take("start")]);
    assert!(matches!(store.act(act).await, Err(Setback::Refused(_))));
    record_of(store.act(site.on(&case, take("start"))).await);
    assert!(matches!(store.act(site.on(&case, take("finish"))).await, Err(Setback::Refused(_))));
    // A fault of the body is nobody's breach of a rule, and what is unseen is not even that.
    assert!(store.act(site.on(&case, amend(json!({ "nonsense": 1 })))).await.is_err());
    let act = Act::new(site.cause(&stranger()), target, vec![take("start")]);
    assert!(matches!(store.act(act).await, Err(Setback::Unknown)));
    let refused = store.refusals(before, 10).await.expect("refusals");
    let kept: Vec<_> = refused
        .iter()
        .map(|kept| (kept.actor.as_str(), kept.command.as_str(), kept.rule.as_str()))
        .collect();
    assert_eq!(
        kept,
        [("person:PER0000002", "start", "role"), ("person:PER0000001", "finish", "guard")]
    );
    assert_eq!(refused[1].sentence, "it is too heavy");
    let now = store.record("case", &RecordRef::Id(case.id), &kernel::Reader::Everything).await;
    assert_eq!(now.expect("an answer").expect("a record").revision, 2);
    let sound = report(&store).await;
    assert_eq!((sound.refusals, sound.is_sound()), (2, true));
    site.meddle("UPDATE refusal SET sentence = 'it was allowed' WHERE n = 1").await;
    assert!(!report(&store).await.is_sound());
}

async fn a_flood_of_refusals_is_bounded(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({ "reporter": "PER0000002" })).await;
    let before = site.clock.now();
    let reporter = reporter();
    let refused = || {
        let target = Target::Record { process: "case".into(), which: RecordRef::Id(case.id) };
        let start = Command::Take { transition: "start".into(), with: serde_json::Map::new() };
        Act::new(site.cause(&Arc::clone(&reporter)), target, vec![start])
    };
    let flood = store.act_all((0..200).map(|_| refused()).collect()).await;
    assert!(flood.iter().all(Result::is_err));
    // Another writer counts on its own, so that there may be as many again.
    let kept = store.refusals(before, 1_000).await.expect("refusals").len();
    assert!((60..=120).contains(&kept), "{kept}");
    site.pass(TimeDelta::minutes(2));
    store.act_all((0..4).map(|_| refused()).collect()).await;
    assert!(report(&store).await.is_sound());
}
