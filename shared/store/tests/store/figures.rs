//! What charts are drawn from.

use chrono::{DateTime, TimeDelta, Utc};
use engine::{Field, Filter};
use kernel::Reader;
use serde_json::json;
use store::{COUNTED_LIMIT, Passed, Series, Setback, Store};

use crate::{
    everywhere,
    site::{Site, record_of, reporter, rules, stranger, take},
};

everywhere!(
    records_are_counted_in_the_span_of_their_time,
    a_filter_and_the_reader_narrow_what_is_counted,
    of_too_many_the_latest_are_counted_or_none,
    steps_are_counted_with_who_took_them,
);

fn hours(from: DateTime<Utc>, count: i64) -> Vec<DateTime<Utc>> {
    (0..=count).map(|hour| from + TimeDelta::hours(hour)).collect()
}

/// Three cases in the first hour, none in the second, two in the third; every other one of a reporter.
async fn fill(site: &Site, store: &Store) {
    for (minutes, count) in [(0, 3), (120, 2)] {
        site.pass(TimeDelta::minutes(minutes));
        for n in 0..count {
            let reporter = json!({ "reporter": format!("PER000000{}", n % 2 + 2) });
            site.case(store, "case", reporter).await;
        }
    }
}

fn series(of: Field, edges: Vec<DateTime<Utc>>, filter: Option<&str>) -> Series {
    let rules = rules();
    let definition = rules.process("case").expect("a process");
    let filter = filter.map(|filter| Filter::parse(definition, filter).expect("a filter"));
    Series { process: "case".to_owned(), of, edges, filter, at_most: COUNTED_LIMIT }
}

async fn records_are_counted_in_the_span_of_their_time(site: &Site) {
    let store = site.open().await;
    let noon = site.clock.now();
    fill(site, &store).await;
    let counted = async |of, edges| {
        let spread = store.series(&series(of, edges, None), &Reader::Everything).await;
        let spread = spread.expect("a spread");
        assert!(spread.is_complete);
        spread.counts
    };
    assert_eq!(counted(Field::OpenedAt, hours(noon, 3)).await, [3, 0, 2]);
    assert_eq!(counted(Field::UpdatedAt, hours(noon + TimeDelta::hours(1), 2)).await, [0, 2]);
    // A span has its beginning and not its end.
    assert_eq!(counted(Field::OpenedAt, vec![noon - TimeDelta::hours(1), noon]).await, [0]);
    assert_eq!(counted(Field::ClosedAt, hours(noon, 3)).await, [0, 0, 0]);
}

async fn a_filter_and_the_reader_narrow_what_is_counted(site: &Site) {
    let store = site.open().await;
    let noon = site.clock.now();
    fill(site, &store).await;
    let counted = async |filter, reader: &Reader| {
        let spread = store.series(&series(Field::OpenedAt, hours(noon, 3), filter), reader).await;
        spread.expect("a spread").counts
    };
    let all = Reader::Everything;
    assert_eq!(counted(Some("record.state in ['fresh']"), &all).await, [3, 0, 2]);
    assert_eq!(counted(Some("record.state == 'closed'"), &all).await, [0, 0, 0]);
    assert_eq!(counted(Some("record.reporter == 'PER0000003'"), &all).await, [1, 0, 1]);
    assert_eq!(counted(None, &stranger().reader()).await, [0, 0, 0]);
    assert_eq!(counted(None, &reporter().reader()).await, [2, 0, 1]);
}

async fn of_too_many_the_latest_are_counted_or_none(site: &Site) {
    let store = site.open().await;
    let noon = site.clock.now();
    fill(site, &store).await;
    let counted = async |filter, at_most| {
        let asked = Series { at_most, ..series(Field::OpenedAt, hours(noon, 3), filter) };
        store.series(&asked, &Reader::Everything).await
    };
    let some = counted(None, 3).await.expect("a spread");
    assert!(!some.is_complete);
    assert_eq!(some.counts[2], 2);
    // Walked by state they have no order: it is all of them, or a sentence.
    let fresh = Some("record.state == 'fresh'");
    assert_eq!(counted(fresh, 5).await.expect("a spread").counts, [3, 0, 2]);
    let Err(Setback::Refused(refusal)) = counted(fresh, 4).await else { panic!("it was counted") };
    assert_eq!(
        (refusal.faults[0].path.as_str(), refusal.faults[0].code.as_ref()),
        ("/filter", "too_many")
    );
}

async fn steps_are_counted_with_who_took_them(site: &Site) {
    let store = site.open().await;
    let noon = site.clock.now();
    let mut numbers = Vec::new();
    for n in 0..3 {
        let mut case = site.case(&store, "case", json!({})).await;
        site.pass(TimeDelta::minutes(1));
        case = record_of(store.act(site.on(&case, take("start"))).await);
        if n == 0 {
            record_of(store.act(site.on(&case, take("finish"))).await);
        }
        numbers.push(case.number);
    }
    let until = site.clock.now() + TimeDelta::hours(1);
    let flow = store.flow("case", noon, until, &Reader::Everything).await.expect("a flow");
    let (latest, first) = (numbers.iter().rev().cloned().collect(), vec![numbers[0].clone()]);
    let step = |from: &str, to: &str, count, numbers| {
        let (from, to) = (from.to_owned(), to.to_owned());
        Passed { from, to, count, numbers }
    };
    assert_eq!(
        flow.steps,
        [step("fresh", "working", 3, latest), step("working", "closed", 1, first)]
    );
    assert_eq!((flow.records, flow.is_complete), (3, true));
    let nothing = store.flow("case", until, until, &Reader::Everything).await.expect("a flow");
    assert_eq!(nothing.steps, []);
    let stranger = store.flow("case", noon, until, &stranger().reader()).await;
    assert_eq!(stranger.expect("a flow").records, 0);
}
