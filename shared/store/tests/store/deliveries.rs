//! The inbox: every message counts once, and what fails keeps the order of its own key.

use chrono::{DateTime, TimeDelta, Utc};
use store::{Act, GIVEN_UP, Letter, Mark, REFUSED, Setback, Step, Store, Tally};

use crate::{
    everywhere,
    site::{Site, amend, done, take},
};

everywhere!(
    a_delivery_has_its_effect_once,
    a_command_passes_deliveries_that_wait,
    a_delivery_that_was_refused_is_done_and_counted,
    outcomes_are_counted_once_each,
    later_ones_of_a_lane_wait_behind_one_that_failed,
    a_parked_message_waits_and_others_behind_it,
    a_retry_that_succeeds_lets_the_next_one_go,
    a_dead_letter_holds_back_its_own_key_until_it_is_sent_round_again,
    a_dead_letter_that_is_given_up_lets_the_others_go,
    what_is_done_cannot_be_parked,
    old_deliveries_are_forgotten,
);

const CONSUMER: &str = "desk-react-to-signals";

fn outcome(steps: &[Step]) -> String {
    steps.first().map_or("nothing", |step| step.fact.event.as_str()).to_owned()
}

fn marked(site: &Site, mut act: Act, message: &str) -> Act {
    act.delivery = Some(Mark {
        consumer: CONSUMER.into(),
        message: message.into(),
        lane: None,
        fence: None,
        outcome,
        at: site.clock.now(),
    });
    act
}

fn letter(site: &Site, message: &str, key: &str, position: i64) -> Letter {
    Letter {
        consumer: CONSUMER.into(),
        message: message.into(),
        key: key.into(),
        position,
        subject: format!("steward.alerts.00.test.{key}"),
        headers: vec![("ce-id".into(), message.into())],
        payload: br#"{"key":"disk"}"#.to_vec(),
        reason: "it cannot be read\0".into(),
        at: site.clock.now(),
    }
}

async fn tallies(store: &Store) -> Vec<(String, u64)> {
    let all = store.tallies().await.expect("tallies");
    all.into_iter().map(|Tally { outcome, count, .. }| (outcome, count)).collect()
}

async fn due(store: &Store, now: DateTime<Utc>) -> Vec<String> {
    let retries = store.retries(CONSUMER, now, 100).await.expect("retries");
    retries.into_iter().map(|waiting| waiting.letter.message).collect()
}

/// A storm of alerts must not keep the people waiting who work on it.
async fn a_command_passes_deliveries_that_wait(site: &Site) {
    let store = site.open().await;
    let storm = (0..2_000).map(|n| {
        let alert = site.signal("signal.firing.v1", &format!("disk-{n}"), "web");
        marked(site, alert, &format!("m{n}"))
    });
    let storm = store.act_all(storm.collect());
    let command = store.act(site.opening("Printer", serde_json::json!({})));
    tokio::pin!(storm);
    tokio::select! {
        biased;
        _ = &mut storm => panic!("the command waited for every delivery"),
        done_first = command => drop(done(done_first)),
    }
    assert!(storm.await.iter().all(Result::is_ok));
}

async fn a_delivery_has_its_effect_once(site: &Site) {
    let store = site.open().await;
    let act = || marked(site, site.signal("signal.firing.v1", "disk", "web"), "m1");
    let alarm = done(store.act(act()).await).record.expect("a record");
    assert!(matches!(store.act(act()).await, Err(Setback::Duplicate)));
    let twins: Vec<_> =
        (0..3).map(|_| marked(site, site.on(&alarm, amend(serde_json::json!({}))), "m2")).collect();
    let answers = store.act_all(twins).await;
    assert_eq!(
        answers.iter().filter(|answer| matches!(answer, Err(Setback::Duplicate))).count(),
        2
    );
    // The same delivery at two replicas at once.
    let other = site.open().await;
    for n in 0..20 {
        let act = || {
            let signal = site.signal("signal.firing.v1", "disk", "web");
            marked(site, signal, &format!("both-{n}"))
        };
        let (one, two) = tokio::join!(store.act(act()), other.act(act()));
        assert_eq!(
            [&one, &two].iter().filter(|answer| answer.is_ok()).count(),
            1,
            "{one:?} {two:?}"
        );
    }
    let total: u64 = tallies(&store).await.iter().map(|(_, count)| count).sum();
    assert_eq!(total, 22);
}

async fn a_delivery_that_was_refused_is_done_and_counted(site: &Site) {
    let store = site.open().await;
    let alarm = done(store.act(site.signal("signal.firing.v1", "disk", "web")).await).record;
    let act = || marked(site, site.on(alarm.as_ref().expect("a record"), take("end")), "m1");
    assert!(matches!(store.act(act()).await, Err(Setback::Refused(_))));
    assert!(matches!(store.act(act()).await, Err(Setback::Duplicate)));
    assert_eq!(tallies(&store).await, [(REFUSED.to_owned(), 1)]);
}

async fn later_ones_of_a_lane_wait_behind_one_that_failed(site: &Site) {
    let store = site.open().await;
    let alarm = done(store.act(site.signal("signal.firing.v1", "disk", "web")).await).record;
    let alarm = alarm.expect("a record");
    let on = |number: &str, message: &str, lane: &str| {
        let mut act = site.on(&alarm, amend(serde_json::json!({})));
        let (process, which) = (alarm.process.clone(), number.into());
        act.target = store::Target::Record { process, which };
        act = marked(site, act, message);
        act.delivery.as_mut().expect("a mark").lane = Some(lane.into());
        act
    };
    let number = alarm.number.as_str();
    let acts =
        vec![on("ALM9999999", "m1", "disk"), on(number, "m2", "disk"), on(number, "m3", "other")];
    let answers = store.act_all(acts).await;
    assert!(
        matches!(answers.as_slice(), [Err(Setback::Unknown), Err(Setback::Behind), Ok(_)]),
        "{answers:?}"
    );
    done(store.act(on(number, "m2", "disk")).await);
}

async fn outcomes_are_counted_once_each(site: &Site) {
    let store = site.open().await;
    let acts = (0..50).map(|n| {
        let signal = site.signal("signal.firing.v1", &format!("key-{}", n % 10), "web");
        marked(site, signal, &format!("m{n}"))
    });
    for answer in store.act_all(acts.collect()).await {
        done(answer);
    }
    done(store.act(marked(site, site.signal("weather.v1", "x", "web"), "m50")).await);
    let expected =
        [("nothing".to_owned(), 1), ("opened".to_owned(), 10), ("repeated".to_owned(), 40)];
    assert_eq!(tallies(&store).await, expected);
}

async fn a_parked_message_waits_and_others_behind_it(site: &Site) {
    let store = site.open().await;
    let soon = site.clock.now() + TimeDelta::seconds(5);
    let later = soon + TimeDelta::seconds(5);
    assert_eq!(store.park(&letter(site, "m2", "disk", 2), later, None).await.expect("a try"), 1);
    assert_eq!(store.park(&letter(site, "m3", "disk", 3), soon, None).await.expect("a try"), 1);
    assert_eq!(store.park(&letter(site, "m4", "load", 4), soon, None).await.expect("a try"), 1);
    let asked = ["disk".to_owned(), "load".to_owned(), "web".to_owned()];
    let blocked = store.blocked(CONSUMER, &asked).await.expect("an answer");
    assert_eq!(blocked.len(), 2);
    assert!(!blocked.contains("web"));
    assert!(store.blocked("other", &asked).await.expect("an answer").is_empty());
    assert!(due(&store, site.clock.now()).await.is_empty());
    // What came later is due first, but waits for its turn.
    assert_eq!(due(&store, soon).await, ["m4"]);
    assert_eq!(due(&store, later).await, ["m4", "m2"]);
    assert_eq!(store.next_retry(CONSUMER).await.expect("an answer"), Some(soon));
    assert_eq!(store.park(&letter(site, "m4", "load", 4), later, None).await.expect("a try"), 2);
    let waiting = store.waiting(CONSUMER, "m4").await.expect("an answer").expect("a letter");
    assert_eq!((waiting.attempts, waiting.due, waiting.is_dead), (2, Some(later), false));
    assert_eq!(waiting.letter.payload, br#"{"key":"disk"}"#);
    assert_eq!(waiting.letter.headers, [("ce-id".to_owned(), "m4".to_owned())]);
}

async fn a_retry_that_succeeds_lets_the_next_one_go(site: &Site) {
    let store = site.open().await;
    let now = site.clock.now();
    for (message, position) in [("m1", 1), ("m2", 2)] {
        store.park(&letter(site, message, "disk", position), now, None).await.expect("a try");
    }
    assert_eq!(due(&store, now).await, ["m1"]);
    let act = marked(site, site.signal("signal.firing.v1", "disk", "web"), "m1");
    done(store.act(act.clone()).await);
    assert!(matches!(store.act(act).await, Err(Setback::Duplicate)));
    assert_eq!(due(&store, now).await, ["m2"]);
}

async fn a_dead_letter_holds_back_its_own_key_until_it_is_sent_round_again(site: &Site) {
    let store = site.open().await;
    let now = site.clock.now();
    for (message, key, position) in [("m1", "disk", 1), ("m2", "disk", 2), ("m3", "load", 3)] {
        store.park(&letter(site, message, key, position), now, None).await.expect("a try");
    }
    assert_eq!(store.bury(&letter(site, "m1", "disk", 1), None).await.expect("a try"), 2);
    assert_eq!(due(&store, now).await, ["m3"]);
    let dead = store.dead_letters(None, 10).await.expect("letters");
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].letter.message.as_str(), dead[0].is_dead), ("m1", true));
    assert_eq!(dead[0].letter.reason, "it cannot be read\u{fffd}");
    assert!(store.blocked(CONSUMER, &["disk".into()]).await.expect("an answer").contains("disk"));
    // A redelivery of the bus does not wake it.
    let act = marked(site, site.signal("signal.firing.v1", "disk", "web"), "m1");
    assert!(matches!(store.act(act.clone()).await, Err(Setback::Duplicate)));
    assert!(!store.redrive(CONSUMER, "m2").await.expect("an answer"));
    assert!(store.redrive(CONSUMER, "m1").await.expect("an answer"));
    assert_eq!(due(&store, site.clock.now()).await, ["m3", "m1"]);
    done(store.act(act).await);
    assert_eq!(due(&store, site.clock.now()).await, ["m2", "m3"]);
    assert!(store.dead_letters(Some(CONSUMER), 10).await.expect("letters").is_empty());
}

async fn a_dead_letter_that_is_given_up_lets_the_others_go(site: &Site) {
    let store = site.open().await;
    let now = site.clock.now();
    store.bury(&letter(site, "m1", "disk", 1), None).await.expect("a try");
    store.park(&letter(site, "m2", "disk", 2), now, None).await.expect("a try");
    assert!(due(&store, now).await.is_empty());
    assert!(store.give_up(CONSUMER, "m1").await.expect("an answer"));
    assert!(!store.give_up(CONSUMER, "m1").await.expect("an answer"));
    assert_eq!(due(&store, now).await, ["m2"]);
    assert_eq!(tallies(&store).await, [(GIVEN_UP.to_owned(), 1)]);
}

async fn what_is_done_cannot_be_parked(site: &Site) {
    let store = site.open().await;
    done(store.act(marked(site, site.signal("signal.firing.v1", "disk", "web"), "m1")).await);
    let parked = store.park(&letter(site, "m1", "disk", 1), site.clock.now(), None).await;
    assert!(matches!(parked, Err(Setback::Duplicate)));
    assert!(store.waiting(CONSUMER, "m1").await.expect("an answer").is_none());
}

async fn old_deliveries_are_forgotten(site: &Site) {
    let store = site.open().await;
    done(store.act(marked(site, site.signal("signal.firing.v1", "disk", "web"), "m1")).await);
    store.bury(&letter(site, "m2", "load", 2), None).await.expect("a try");
    site.pass(TimeDelta::days(40));
    assert_eq!(store.prune(site.clock.now() - TimeDelta::days(30)).await.expect("a count"), 1);
    // What is dead is not forgotten, and what was counted stays counted.
    assert_eq!(store.dead_letters(None, 10).await.expect("letters").len(), 1);
    assert_eq!(tallies(&store).await, [("opened".to_owned(), 1)]);
}
