//! Links to records of other services: each end keeps its own, and is told of the other by events.

use std::sync::Arc;

use engine::{Command, Link, Linked, Record};
use kernel::{Actor, Channel, Reader};
use serde_json::json;
use store::{Act, Done, LinkRow, Setback, Store, Target, Tie, TieSays};
use uuid::Uuid;

use crate::{
    everywhere,
    site::{Site, agent, done, record_of, stranger},
};

everywhere!(
    an_end_told_by_an_event_is_kept_once,
    a_link_to_another_service_waits_for_its_answer,
    a_tie_to_what_is_not_there_or_not_visible_is_on_record,
    a_tie_that_ends_at_one_end_ends_at_the_other,
    what_follows_a_tie_that_is_gone_brings_nothing_back,
);

fn plan(id: Uuid) -> Linked {
    Linked { id, number: "PLN0000007".into(), process: "plan".into() }
}

/// What the plan's service says: the plan is tied to a case.
fn told(site: &Site, case: &str, relation: (&str, &str), by: &Actor) -> Act {
    told_that(TieSays::Made, site, case, relation, by)
}

fn told_that(says: TieSays, site: &Site, case: &str, relation: (&str, &str), by: &Actor) -> Act {
    let link = Link {
        relation: relation.0.into(),
        inverse: relation.1.into(),
        to: Linked { id: Uuid::nil(), number: case.into(), process: "case".into() },
    };
    let from = plan(Uuid::from_u128(7));
    let tie = Tie { from, audience: vec!["role:agent".into()], link, by: by.reader(), says };
    let mut cause = site.cause(&Arc::new(Actor::system("desk")));
    cause.channel = Channel::Event;
    Act { tie: Some(tie), ..Act::new(cause, Target::Events(vec![]), vec![]) }
}

async fn links(store: &Store, case: &Record) -> Vec<LinkRow> {
    store.links(case.id, &agent().reader()).await.expect("links")
}

fn events(done: &Done) -> Vec<&str> {
    done.steps.iter().map(|step| step.fact.event.as_str()).collect()
}

async fn an_end_told_by_an_event_is_kept_once(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "one", json!({})).await;
    let tell = || told(site, &case.number, ("covers", "covered_by"), &agent());
    let (first, again) = (done(store.act(tell()).await), done(store.act(tell()).await));
    assert_eq!((events(&first), events(&again)), (vec!["linked"], vec![]));
    let found = links(&store, &case).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].relation, "covered_by");
    assert_eq!(found[0].other, plan(Uuid::from_u128(7)));
    assert!(found[0].is_confirmed);
    // The plan is for agents.
    assert_eq!(store.links(case.id, &stranger().reader()).await.expect("links"), []);
    // In one batch, too.
    let other = site.case(&store, "other", json!({})).await;
    let tell = || told(site, &other.number, ("covers", "covered_by"), &agent());
    let both = store.act_all(vec![tell(), tell()]).await;
    let steps: usize = both.into_iter().map(|one| done(one).steps.len()).sum();
    assert_eq!((steps, links(&store, &other).await.len()), (1, 1));
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn a_link_to_another_service_waits_for_its_answer(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "one", json!({})).await;
    let wish = Command::Link { relation: "related_to".into(), to: plan(Uuid::nil()) };
    record_of(store.act(site.on(&case, wish.clone())).await);
    let found = links(&store, &case).await;
    assert_eq!((found.len(), found[0].is_confirmed), (1, false));
    assert!(matches!(store.act(site.on(&case, wish)).await, Err(Setback::Refused(_))));
    // The answer makes no fact: it says what was known already, and who may know.
    let answer = told(site, &case.number, ("related_to", "related_to"), &Actor::system("plans"));
    assert_eq!(events(&done(store.act(answer).await)), Vec::<&str>::new());
    let found = links(&store, &case).await;
    assert_eq!((found.len(), found[0].is_confirmed), (1, true));
    assert_eq!(found[0].other, plan(Uuid::from_u128(7)));
}

async fn a_tie_to_what_is_not_there_or_not_visible_is_on_record(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "one", json!({})).await;
    let to_nothing = told(site, "CAS0000099", ("covers", "covered_by"), &agent());
    let unseen = told(site, &case.number, ("covers", "covered_by"), &stranger());
    for (count, act) in [(1, to_nothing), (2, unseen)] {
        let answer = done(store.act(act).await);
        assert_eq!((answer.steps.len(), answer.refused.len()), (0, 1));
        let refusals = store.refusals(case.opened_at, 10).await.expect("refusals");
        assert_eq!(refusals.len(), count);
        assert!(refusals.iter().all(|refusal| refusal.code == "unknown_record"));
    }
    assert_eq!(store.links(case.id, &Reader::Everything).await.expect("links"), []);
}

fn unlink(row: &LinkRow) -> Command {
    let (relation, inverse) = (row.relation.clone(), row.inverse.clone());
    Command::Unlink { link: Link { relation, inverse, to: row.other.clone() } }
}

async fn a_tie_that_ends_at_one_end_ends_at_the_other(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "one", json!({})).await;
    let relation = ("covers", "covered_by");
    let say = |says| told_that(says, site, &case.number, relation, &stranger());
    done(store.act(told(site, &case.number, relation, &agent())).await);
    // The plan's end went: ours goes with it, once, whoever ended it.
    let (ended, again) =
        (done(store.act(say(TieSays::Ended)).await), done(store.act(say(TieSays::Ended)).await));
    assert_eq!((events(&ended), events(&again)), (vec!["unlinked"], vec![]));
    assert!(ended.steps[0].fact.is_answer);
    assert_eq!(links(&store, &case).await, []);
    // Tied anew and ended from here.
    done(store.act(told(site, &case.number, relation, &agent())).await);
    let row = links(&store, &case).await.remove(0);
    let fact = done(store.act(site.on(&case, unlink(&row))).await).steps.remove(0).fact;
    assert_eq!((fact.event.as_str(), fact.is_answer), ("unlinked", false));
    assert_eq!(links(&store, &case).await, []);
    assert!(matches!(store.act(site.on(&case, unlink(&row))).await, Err(Setback::Refused(_))));
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn what_follows_a_tie_that_is_gone_brings_nothing_back(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "one", json!({})).await;
    let relation = ("related_to", "related_to");
    let wish = Command::Link { relation: "related_to".into(), to: plan(Uuid::nil()) };
    record_of(store.act(site.on(&case, wish.clone())).await);
    let row = links(&store, &case).await.remove(0);
    let follow = || told_that(TieSays::Followed, site, &case.number, relation, &agent());
    // In one batch: ended, what the other end said before it knew, and tied again.
    let all = vec![site.on(&case, unlink(&row)), follow(), site.on(&case, wish), follow()];
    let all: Vec<_> = store.act_all(all).await.into_iter().map(done).collect();
    let said: Vec<_> = all.iter().flat_map(events).collect();
    assert_eq!(said, ["unlinked", "linked"]);
    let found = links(&store, &case).await;
    assert_eq!((found.len(), found[0].is_confirmed), (1, true));
    record_of(store.act(site.on(&case, unlink(&found[0]))).await);
    done(store.act(follow()).await);
    assert_eq!(links(&store, &case).await, []);
    assert!(store.verify().await.expect("a report").is_sound());
}
