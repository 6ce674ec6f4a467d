//! Totals follow the records that they count, in the same transaction, and can be counted anew.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use engine::{Command, Record};
use kernel::Reader;
use proptest::prelude::*;
use serde_json::{Value, json};
use store::{Closing, Count, Counting, Countings, Store, Sum, Wanted};

use crate::{
    everywhere,
    site::{Site, agent, amend, done, on_sqlite, record_of, rules, take},
};

everywhere!(
    totals_follow_their_records,
    what_is_counted_anew_is_the_same,
    a_reader_knows_the_totals_of_what_it_sees,
    a_closed_span_stays_and_tells_what_changed_in_it,
    two_replicas_count_everything_once,
);

/// A case counts by its state and reporter on the day that it is due.
fn count(case: &Record) -> Option<Count> {
    let due: DateTime<Utc> = case.data.get("due")?.as_str()?.parse().ok()?;
    let reporter = case.data.get("reporter").and_then(Value::as_str);
    let mut seen_by = vec!["role:agent".to_owned()];
    seen_by.extend(reporter.map(|reporter| format!("person:{reporter}")));
    Some(Count { what: case.state.clone(), at: due.timestamp(), seen_by })
}

async fn open(site: &Site, version: i32) -> Store {
    let countings = Countings::from([("case", Counting { version, count })]);
    let options = store::Options { countings, ..site.options() };
    Store::open(options, rules(), site.clock.clone()).await.expect("a store")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

async fn sums(store: &Store, from: &str, until: &str, reader: &Reader) -> Vec<(String, i64)> {
    let now = at("2026-02-01T00:00:00Z");
    let wanted = Wanted { process: "case", from: at(from), until: at(until), now, due: "expire" };
    let sums = store.sums(wanted, reader).await.expect("sums");
    assert_eq!((sums.before, sums.during), (vec![], vec![]));
    let mut sums: Vec<_> =
        sums.after.into_iter().map(|Sum { what, count }| (what, count)).collect();
    sums.sort();
    sums
}

async fn march(store: &Store) -> Vec<(String, i64)> {
    sums(store, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", &Reader::Everything).await
}

fn counted(list: &[(&str, i64)]) -> Vec<(String, i64)> {
    list.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect()
}

async fn totals_follow_their_records(site: &Site) {
    let store = open(site, 1).await;
    let case = site.case(&store, "Mail", json!({ "due": "2026-03-10T10:00:00Z" })).await;
    site.case(&store, "Till", json!({ "due": "2026-03-31T23:59:59Z" })).await;
    site.case(&store, "Sometime", json!({})).await;
    site.case(&store, "Later", json!({ "due": "2026-04-01T00:00:00Z" })).await;
    assert_eq!(march(&store).await, counted(&[("fresh", 2)]));
    let case = record_of(store.act(site.on(&case, take("start"))).await);
    assert_eq!(march(&store).await, counted(&[("fresh", 1), ("working", 1)]));
    // The quarter of an hour, and the next one.
    let all = Reader::Everything;
    let quarter = sums(&store, "2026-03-10T10:00:00Z", "2026-03-10T10:15:00Z", &all).await;
    assert_eq!(quarter, counted(&[("working", 1)]));
    assert_eq!(sums(&store, "2026-03-10T10:15:00Z", "2026-03-11T00:00:00Z", &all).await, []);
    let amended = amend(json!({ "due": "2026-05-01T00:00:00Z" }));
    record_of(store.act(site.on(&case, amended)).await);
    assert_eq!(march(&store).await, counted(&[("fresh", 1)]));
    // What is refused counts nowhere.
    assert!(store.act(site.on(&case, take("start"))).await.is_err());
    assert_eq!(march(&store).await, counted(&[("fresh", 1)]));
    let odd = Wanted {
        process: "case",
        from: at("2026-03-01T00:07:00Z"),
        until: at("2026-04-01T00:00:00Z"),
        now: site.clock.now(),
        due: "expire",
    };
    assert!(store.sums(odd, &all).await.is_err());
    let report = store.verify().await.expect("a report");
    assert!(report.is_sound(), "{:?}", report.faults);
    site.meddle("UPDATE total SET count = count + 1 WHERE what = 'fresh'").await;
    assert!(!store.verify().await.expect("a report").is_sound());
}

async fn what_is_counted_anew_is_the_same(site: &Site) {
    let store = open(site, 1).await;
    for (day, moves) in [(1, 0), (1, 1), (2, 1), (15, 2), (31, 2)] {
        let due = format!("2026-03-{day:02}T12:00:00Z");
        let mut case = site.case(&store, "Mail", json!({ "due": due })).await;
        for transition in ["start", "finish"].into_iter().take(moves) {
            case = record_of(store.act(site.on(&case, take(transition))).await);
        }
    }
    let kept = march(&store).await;
    assert_eq!(kept, counted(&[("closed", 2), ("fresh", 1), ("working", 2)]));
    site.meddle("DELETE FROM total").await;
    assert_eq!(march(&store).await, []);
    store.close().await;
    // The counting at hand did that already; another one counts from the beginning.
    let store = open(site, 1).await;
    assert_eq!(march(&store).await, []);
    store.close().await;
    let store = open(site, 2).await;
    assert_eq!(march(&store).await, kept);
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn a_reader_knows_the_totals_of_what_it_sees(site: &Site) {
    let store = open(site, 1).await;
    let due = "2026-03-10T10:00:00Z";
    site.case(&store, "Mail", json!({ "due": due, "reporter": "PER0000002" })).await;
    site.case(&store, "Mail", json!({ "due": due, "reporter": "PER0000003" })).await;
    let known = async |reader: &Reader| {
        sums(&store, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", reader).await
    };
    assert_eq!(known(&agent().reader()).await, counted(&[("fresh", 2)]));
    assert_eq!(known(&crate::site::reporter().reader()).await, counted(&[("fresh", 1)]));
    assert_eq!(known(&crate::site::stranger().reader()).await, []);
}

async fn a_closed_span_stays_and_tells_what_changed_in_it(site: &Site) {
    let store = open(site, 1).await;
    let case = site.case(&store, "Mail", json!({ "due": "2026-03-10T10:00:00Z" })).await;
    site.case(&store, "Till", json!({ "due": "2026-03-12T10:00:00Z" })).await;
    let march_of_2026 =
        Closing::of("case", "case", at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z"));
    let mut act = site.opening("March", json!({}));
    act.closes = Some(march_of_2026.expect("a span"));
    let closing = record_of(store.act(act).await);
    let closed = async || {
        let sums = store.closed(closing.id, &Reader::Everything).await.expect("sums");
        sums.into_iter().map(|sum| (sum.what, sum.count)).collect::<Vec<_>>()
    };
    assert_eq!(closed().await, counted(&[("fresh", 2)]));

    let started = done(store.act(site.on(&case, take("start"))).await).record.expect("a case");
    let away = amend(json!({ "due": "2026-04-10T10:00:00Z" }));
    let away = record_of(store.act(site.on(&started, away)).await);
    let comment = Command::Comment { text: "This counts as nothing else.".into() };
    record_of(store.act(site.on(&away, comment)).await);
    site.case(&store, "Late", json!({ "due": "2026-03-31T00:00:00Z" })).await;
    assert_eq!(closed().await, counted(&[("fresh", 2)]));
    assert_eq!(march(&store).await, counted(&[("fresh", 2)]));
    let told = store.restatements(closing.id, &agent().reader()).await.expect("restatements");
    let told: Vec<_> = told
        .iter()
        .map(|one| {
            assert_eq!(one.actor, "person:PER0000001");
            (one.number.as_str(), one.kind.as_str(), one.was.as_deref(), one.became.as_deref())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("CAS0000001", "case.started.v1", Some("fresh"), Some("working")),
            ("CAS0000001", "case.amended.v1", Some("working"), None),
            ("CAS0000004", "case.opened.v1", None, Some("fresh")),
        ]
    );
    let strangers = crate::site::stranger().reader();
    assert_eq!(store.restatements(closing.id, &strangers).await.expect("an answer"), []);
    assert_eq!(store.closed(closing.id, &strangers).await.expect("an answer"), []);
    assert!(store.verify().await.expect("a report").is_sound());
    site.meddle("DELETE FROM restatement WHERE number = 'CAS0000004'").await;
    assert!(!store.verify().await.expect("a report").is_sound());
}

async fn two_replicas_count_everything_once(site: &Site) {
    // A file of SQLite has one process that writes.
    let one = Arc::new(open(site, 1).await);
    let two = if site.is_postgres() { Arc::new(open(site, 1).await) } else { Arc::clone(&one) };
    let mut running = tokio::task::JoinSet::new();
    for place in 0..60 {
        let store = Arc::clone(if place % 2 == 0 { &one } else { &two });
        let due = format!("2026-03-{:02}T12:00:00Z", 1 + place % 3);
        let mut opening = site.opening("Mail", json!({ "due": due }));
        if place % 20 == 19 {
            let (from, until) = (at("2026-03-01T00:00:00Z"), at("2026-03-03T00:00:00Z"));
            opening.closes = Some(Closing::of("case", "case", from, until).expect("a span"));
        }
        running.spawn(async move { record_of(store.act(opening).await) });
    }
    while let Some(case) = running.join_next().await {
        case.expect("it was opened");
    }
    assert_eq!(march(&one).await, counted(&[("fresh", 60)]));
    // What was kept at each closing and what changed since add up.
    let report = one.verify().await.expect("a report");
    assert!(report.is_sound(), "{:?}", report.faults);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn whatever_happens_the_totals_are_what_counting_gives(
        steps in prop::collection::vec((0..6_usize, 0..4_usize, 1..40_u32), 1..40)
    ) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(on_sqlite(async |site: &Site| {
            let store = open(site, 1).await;
            let mut cases = Vec::new();
            for place in 0..4 {
                cases.push(site.case(&store, &format!("Case {place}"), json!({})).await);
            }
            for (what, which, day) in steps {
                let due = at("2026-03-01T07:00:00Z") + TimeDelta::hours(i64::from(day) * 7);
                let command = match what {
                    0 => take("start"),
                    1 => take("finish"),
                    2 => amend(json!({ "due": null })),
                    3 => amend(json!({ "reporter": format!("PER000000{day}") })),
                    _ => amend(json!({ "due": due })),
                };
                // Many of these are refused.
                let _ = store.act(site.on(&cases[which], command)).await;
            }
            let report = store.verify().await.expect("a report");
            assert!(report.is_sound(), "{:?}", report.faults);
            store.close().await;
        }));
    }
}
