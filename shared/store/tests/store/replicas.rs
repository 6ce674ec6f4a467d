//! Several replicas, or several processes of one: leases, the outbox, and one truth for all.

use std::time::Duration;

use engine::Command;
use kernel::Reader;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, Row};
use store::{Fence, Mark, Outgoing, Place, RecordRef, Sent, Setback, Store};

use crate::{
    everywhere,
    site::{Site, amend, done, on_postgres, record_of, sent, take},
};

everywhere!(
    a_lease_has_one_owner_and_a_rising_token,
    a_lease_that_ran_out_goes_to_another,
    a_late_owner_is_fenced,
    events_leave_in_order_and_once,
    what_is_left_of_a_bundle_stays,
    what_is_told_at_once_is_what_the_journal_keeps,
    events_are_published_again_since_a_moment,
    many_replicas_lose_nothing,
    a_place_is_its_owners_to_say,
);

const LONG: Duration = Duration::from_secs(60);

async fn a_lease_has_one_owner_and_a_rising_token(site: &Site) {
    let (one, two) = (site.open().await, site.open().await);
    let first = one.lease("relay", "a", LONG).await.expect("an answer").expect("a lease");
    assert_eq!(two.lease("relay", "b", LONG).await.expect("an answer"), None);
    let again = one.lease("relay", "a", LONG).await.expect("an answer").expect("a lease");
    assert!(again.token > first.token);
    let renewed = one.renew(&[first.clone(), again.clone()], LONG).await.expect("an answer");
    assert_eq!(renewed.last(), Some(&true));
    one.release(&first).await.expect("an answer");
    assert_eq!(two.lease("relay", "b", LONG).await.expect("an answer"), None);
    one.release(&again).await.expect("an answer");
    let next = two.lease("relay", "b", LONG).await.expect("an answer").expect("a lease");
    assert!(next.token > again.token);
    assert_eq!(one.renew(&[again], LONG).await.expect("an answer"), [false]);
}

/// Asks until there is an answer; the test's own deadline is the runner's.
async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "it did not come about");
        tokio::task::yield_now().await;
    }
}

async fn a_lease_that_ran_out_goes_to_another(site: &Site) {
    let store = site.open().await;
    let short = Duration::from_millis(20);
    let first = store.lease("relay", "a", short).await.expect("an answer").expect("a lease");
    let second =
        eventually(async || store.lease("relay", "b", LONG).await.expect("an answer")).await;
    assert!(second.token > first.token);
}

async fn a_late_owner_is_fenced(site: &Site) {
    let store = site.open().await;
    let old = store.lease("partition-3", "a", LONG).await.expect("an answer").expect("a lease");
    let delivered = |fence: &store::Fence, message: &str| {
        let mut act = site.signal("signal.firing.v1", "disk", "web");
        act.delivery = Some(Mark {
            consumer: "c".into(),
            message: message.into(),
            lane: None,
            fence: Some(fence.clone()),
            outcome: |_| "done".into(),
            at: site.clock.now(),
        });
        act
    };
    done(store.act(delivered(&old, "m1")).await);
    store.release(&old).await.expect("an answer");
    let new = store.lease("partition-3", "b", LONG).await.expect("an answer").expect("a lease");
    assert!(matches!(store.act(delivered(&old, "m2")).await, Err(Setback::Fenced)));
    done(store.act(delivered(&new, "m2")).await);
}

async fn a_place_is_its_owners_to_say(site: &Site) {
    let (one, two) = (site.open().await, site.open().await);
    let lanes = ["hears-p00/SLA".to_owned(), "hears-p01/SLA".to_owned()];
    let place = |made: &str, sequence| Place { made: made.into(), sequence };
    let reached = async |store: &Store, token, place: Place| {
        let lane = Fence { name: lanes[0].clone(), token };
        store.reached([(lane, place)]).await.expect("an answer");
        let mut places = two.places(&lanes).await.expect("an answer");
        assert!(!places.contains_key(&lanes[1]));
        places.remove(&lanes[0]).expect("a place")
    };
    assert_eq!(reached(&one, 1, place("today", 7)).await, place("today", 7));
    assert_eq!(reached(&two, 2, place("today", 9)).await, place("today", 9));
    // The owner of old is late.
    assert_eq!(reached(&one, 1, place("today", 11)).await, place("today", 9));
    // The bus lost its end of the stream and gives those sequences out again.
    assert_eq!(reached(&two, 2, place("today", 8)).await, place("today", 8));
    assert_eq!(reached(&two, 2, place("tomorrow", 1)).await, place("tomorrow", 1));
}

async fn unsent(store: &Store) -> Vec<Outgoing> {
    store.unsent(1_000).await.expect("events")
}

async fn events_leave_in_order_and_once(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    let mut act = site.on(&case, take("start"));
    act.cause.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    let started = record_of(store.act(act).await);
    assert_eq!(store.unsent_count().await.expect("a count"), 2);
    let events = unsent(&store).await;
    let envelope = &events[1].envelope;
    assert_eq!((envelope.kind.as_str(), envelope.revision), ("case.started.v1", 2));
    assert_eq!((envelope.record, envelope.number.as_str()), (case.id, "CAS0000001"));
    assert_eq!(envelope.source, "/steward/desk");
    assert_eq!(envelope.audience, ["role:agent"]);
    assert!(envelope.traceparent.as_ref().is_some_and(|trace| trace.starts_with("00-0af7")));
    let data: contract::EventData = serde_json::from_slice(&envelope.data).expect("event data");
    assert_eq!(data.record, started.view());
    assert_eq!(store.unsent(1).await.expect("events"), events[..1]);
    sent(&store, &events[0..=0]).await;
    assert_eq!(unsent(&store).await, events[1..]);
    sent(&store, &events[1..=1]).await;
    assert_eq!(unsent(&store).await, []);
}

/// What is committed together stands as one in the outbox, and what of it cannot leave stays.
async fn what_is_left_of_a_bundle_stays(site: &Site) {
    let store = site.open().await;
    let acts: Vec<_> = (0..40).map(|n| site.opening(&format!("case {n}"), json!({}))).collect();
    let done = futures::future::join_all(acts.into_iter().map(|act| store.act(act))).await;
    assert_eq!(done.into_iter().map(record_of).count(), 40);
    let events = unsent(&store).await;
    let numbers: Vec<_> = events.iter().map(|event| &event.envelope.number).collect();
    assert_eq!((numbers.len(), store.unsent_count().await.expect("a count")), (40, 40));
    let bundles: Vec<_> = events.chunk_by(|one, next| one.bundle == next.bundle).collect();
    assert!(bundles.len() < 20, "each went alone: {events:?}");
    let large = *bundles.iter().max_by_key(|bundle| bundle.len()).expect("some");
    // Whoever asks for one is told all of its bundle.
    assert_eq!(store.unsent(1).await.expect("events"), bundles[0]);
    let published = Sent { bundles: vec![large[0].bundle], left: vec![large[0].seq, large[1].seq] };
    for _ in 0..2 {
        // Twice, as a relay does that was not told the first time.
        store.sent(published.clone()).await.expect("an answer");
    }
    let rest = unsent(&store).await;
    assert_eq!(rest.len(), 42 - large.len());
    for left in &large[..2] {
        let alone = Outgoing { bundle: left.seq, ..left.clone() };
        assert!(rest.contains(&alone), "{left:?}");
    }
    sent(&store, &rest).await;
    assert_eq!(store.unsent_count().await.expect("a count"), 0);
}

/// Whoever publishes is told from memory what was committed a moment ago, and from the journal the
/// second time.
async fn what_is_told_at_once_is_what_the_journal_keeps(site: &Site) {
    let store = site.open().await;
    assert_eq!(unsent(&store).await, []);
    let case = site.case(&store, "Mail", json!({ "reporter": "PER0000002" })).await;
    let mut act = site.on(&case, take("start"));
    act.cause.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    record_of(store.act(act).await);
    let at_once = unsent(&store).await;
    assert_eq!(at_once.iter().map(|event| event.envelope.revision).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(unsent(&store).await, at_once);
    // Another replica has nothing at hand.
    assert_eq!(unsent(&site.open().await).await, at_once);
}

async fn events_are_published_again_since_a_moment(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail", json!({})).await;
    let before = unsent(&store).await;
    sent(&store, &before[0..=0]).await;
    site.pass(chrono::TimeDelta::minutes(10));
    let since = site.clock.now();
    record_of(store.act(site.on(&case, take("start"))).await);
    let events = unsent(&store).await;
    sent(&store, &events[0..=0]).await;
    assert_eq!(store.republish_since(since).await.expect("a count"), 1);
    assert_eq!(unsent(&store).await, events);
    assert_eq!(store.republish_since(case.opened_at).await.expect("a count"), 1);
    assert_eq!(unsent(&store).await.len(), 2);
}

async fn many_replicas_lose_nothing(site: &Site) {
    // Two processes on one SQLite file happen only by mistake; they must not corrupt it either.
    let (one, two) = (site.open().await, site.open().await);
    let mut cases = Vec::new();
    for n in 0..8 {
        cases.push(site.case(&one, &format!("case {n}"), json!({ "weight": 0 })).await);
    }
    let rounds = if site.is_postgres() { 60 } else { 25 };
    let mut acts = Vec::new();
    for n in 0..rounds {
        for (at, store) in [&one, &two].into_iter().enumerate() {
            let case = &cases[(n + at) % cases.len()];
            acts.push((
                store,
                site.on(case, amend(json!({ "weight": n + 1, "title": format!("t{at}") }))),
            ));
            acts.push((store, site.on(case, Command::Comment { text: format!("{n}") })));
            acts.push((store, site.opening("new", json!({}))));
            let group = format!("group-{}", n % 3);
            acts.push((store, site.signal("signal.firing.v1", &format!("key-{}", n % 5), &group)));
        }
    }
    let all = acts.into_iter().map(|(store, act)| store.act(act));
    let answers = futures::future::join_all(all).await;
    let failed: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(failed.is_empty(), "{} failed, first {:?}", failed.len(), failed.first());
    let report = one.verify().await.expect("a report");
    assert!(report.is_sound(), "{report:?}");
    // Each amendment that changed something and each comment is one revision, none is lost.
    for case in &cases {
        let history = one.history(case.id, 0, 10_000).await.expect("a history");
        let comments = history.iter().filter(|entry| entry.kind == "case.commented.v1").count();
        let amended = history.iter().filter(|entry| entry.kind == "case.amended.v1").count();
        assert_eq!(comments + amended + 1, history.len());
    }
    let numbers = store::Query { limit: 500, ..store::Query::of("case") };
    let page = one.list(&numbers, &kernel::Reader::Everything).await.expect("a page");
    let mut numbers: Vec<_> = page.items.into_iter().map(|case| case.number).collect();
    numbers.sort();
    let expected: Vec<_> = (1..=numbers.len()).map(|n| format!("CAS{n:07}")).collect();
    assert_eq!(numbers, expected);
    let alarms = one.list(&store::Query::of("alarm"), &kernel::Reader::Everything).await;
    assert_eq!(alarms.expect("a page").items.len(), 5);
}

/// While a replica of an older binary is replaced, what it queues is published by the newer ones.
#[tokio::test]
async fn what_an_older_replica_queues_is_published() {
    on_postgres(async |site: &Site| {
        let store = site.open().await;
        site.case(&store, "Mail", json!({})).await;
        let events = unsent(&store).await;
        sent(&store, &events).await;
        site.meddle(
            "WITH written AS (SELECT seq FROM journal) \
             INSERT INTO outbox (seq) SELECT seq FROM written",
        )
        .await;
        assert_eq!(unsent(&store).await, events);
        let url = &site.url;
        let mut older = PgConnection::connect(url).await.expect("a connection");
        let seen = older.fetch_all("SELECT seq FROM outbox ORDER BY seq LIMIT 500").await;
        assert!(seen.expect("rows").is_empty(), "it would publish a bundle's first event alone");
        assert_eq!(site.meddle("DELETE FROM outbox WHERE seq = ANY('{1}')").await, 0);
        assert_eq!(unsent(&store).await, events);
    })
    .await;
}

/// Two transactions that commit in the other order than they took their places in the journal.
#[tokio::test]
async fn what_commits_late_is_not_passed_by() {
    on_postgres(async |site: &Site| {
        let store = site.open().await;
        let slow = site.case(&store, "slow", json!({})).await;
        let fast = site.case(&store, "fast", json!({})).await;
        let opened = unsent(&store).await;
        sent(&store, &opened).await;
        site.meddle(
            "CREATE FUNCTION tarry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.number = 'CAS0000001' THEN PERFORM pg_advisory_xact_lock(42); END IF; \
             RETURN NULL; END $$",
        )
        .await;
        site.meddle(
            "CREATE CONSTRAINT TRIGGER tarry AFTER INSERT ON journal \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tarry()",
        )
        .await;
        let mut gate = PgConnection::connect(&site.url).await.expect("a connection");
        gate.execute("SELECT pg_advisory_lock(42)").await.expect("a lock");
        let late = {
            let (store, act) = (store.clone(), site.on(&slow, take("start")));
            tokio::spawn(async move { store.act(act).await })
        };
        // It has its place in the journal, and stands before its commit.
        somebody_waits(&mut gate, "advisory").await;
        record_of(store.act(site.on(&fast, take("start"))).await);
        let first = unsent(&store).await;
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].envelope.number, fast.number);
        sent(&store, &first[0..=0]).await;
        gate.execute("SELECT pg_advisory_unlock(42)").await.expect("the lock goes");
        record_of(late.await.expect("the task ends"));
        let second = unsent(&store).await;
        assert_eq!(second.len(), 1);
        assert_eq!(second[0].envelope.number, slow.number);
        assert!(second[0].seq < first[0].seq, "the late one had the earlier place");
    })
    .await;
}

/// A batch holds the leases of its deliveries in the order of their names until its commit.
#[tokio::test]
async fn leases_are_renewed_in_the_order_in_which_batches_hold_them() {
    on_postgres(async |site: &Site| {
        let store = site.open().await;
        // The later name stands first in the table.
        let mut fences = Vec::new();
        for name in ["lane-b", "lane-a"] {
            let fence = store.lease(name, "one", LONG).await.expect("an answer");
            fences.push(fence.expect("a lease"));
        }
        let mut batch = PgConnection::connect(&site.url).await.expect("a connection");
        batch.execute("BEGIN").await.expect("it begins");
        let held = batch.execute("SELECT 1 FROM lease WHERE name = 'lane-a' FOR SHARE").await;
        held.expect("a lock");
        let renewing = tokio::spawn({
            let store = store.clone();
            async move { store.renew(&fences, LONG).await }
        });
        somebody_waits(&mut batch, "transactionid").await;
        let held = batch.execute("SELECT 1 FROM lease WHERE name = 'lane-b' FOR SHARE").await;
        held.expect("nobody holds it who waits for this one");
        batch.execute("COMMIT").await.expect("it ends");
        let renewed = renewing.await.expect("the task ends").expect("an answer");
        assert_eq!(renewed, [true, true]);
    })
    .await;
}

/// One batch opens a case and then an alarm, another the other way round.
#[tokio::test]
async fn who_waits_for_a_counter_holds_none_that_another_waits_for() {
    on_postgres(async |site: &Site| {
        let store = site.open().await;
        let mut other = PgConnection::connect(&site.url).await.expect("a connection");
        other.execute("BEGIN").await.expect("it begins");
        let alarms = "SELECT 1 FROM counter WHERE process = 'alarm' FOR UPDATE";
        other.execute(alarms).await.expect("a lock");
        let acts = vec![
            site.opening("Mail", json!({})),
            site.signal("signal.firing.v1", "disk", "nobody"),
        ];
        let acting = tokio::spawn({
            let store = store.clone();
            async move { store.act_all(acts).await }
        });
        somebody_waits(&mut other, "transactionid").await;
        let cases = "SELECT 1 FROM counter WHERE process = 'case' FOR UPDATE NOWAIT";
        other.execute(cases).await.expect("nobody holds it who waits for the other");
        other.execute("COMMIT").await.expect("it ends");
        let answers = acting.await.expect("the task ends");
        let numbers = answers.into_iter().map(|answer| record_of(answer).number);
        assert_eq!(numbers.collect::<Vec<_>>(), ["CAS0000001", "ALM0000001"]);
    })
    .await;
}

/// Connections break under load; what was acknowledged is there, and nothing was done twice.
#[tokio::test]
async fn broken_connections_lose_and_double_nothing() {
    on_postgres(async |site: &Site| {
        let store = site.open().await;
        let case = site.case(&store, "Mail", json!({})).await;
        let mut acknowledged = 0;
        for round in 0..20 {
            let comments = (0..30).map(|n| {
                let comment = Command::Comment { text: format!("{round}-{n}") };
                store.act(site.on(&case, comment))
            });
            let (answers, ()) =
                tokio::join!(futures::future::join_all(comments), break_connections(site));
            acknowledged += answers.iter().filter(|answer| answer.is_ok()).count();
        }
        let history = store.history(case.id, 1, 10_000).await.expect("a history");
        let mut texts: Vec<String> = history
            .iter()
            .filter_map(|entry| Some(entry.payload.as_ref()?["comment"].as_str()?.to_owned()))
            .collect();
        let written = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), written, "a comment was written twice");
        assert!(written >= acknowledged, "{written} of {acknowledged} acknowledged are there");
        assert!(store.verify().await.expect("a report").is_sound());
    })
    .await;
}

/// After a restart of the server every connection is broken, and no reader is told.
#[tokio::test]
async fn who_reads_outlasts_all_connections() {
    on_postgres(async |site: &Site| {
        let store = site.open().await;
        let case = site.case(&store, "Mail", json!({})).await;
        let which = RecordRef::Id(case.id);
        for _ in 0..10 {
            let looks = (0..30).map(|_| store.record("case", &which, &Reader::Everything));
            for found in futures::future::join_all(looks).await {
                assert_eq!(
                    found.expect("an answer").map(|case| case.number),
                    Some(case.number.clone())
                );
            }
            break_connections(site).await;
        }
    })
    .await;
}

/// Waits until somebody waits for a lock of this type.
async fn somebody_waits(db: &mut PgConnection, locktype: &str) {
    eventually(async || {
        let sql = "SELECT count(*) FROM pg_locks WHERE locktype = $1 AND NOT granted";
        let row = sqlx::query(sql).bind(locktype).fetch_one(&mut *db).await.expect("a count");
        (row.get::<i64, _>(0) > 0).then_some(())
    })
    .await;
}

/// Ends all connections to the database of a test but its own.
async fn break_connections(site: &Site) {
    let mut admin = PgConnection::connect(&site.url).await.expect("a connection");
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin.execute(end).await.expect("they are ended");
}
