//! Links to records of other services: each end keeps its own, and is told of the other by events.

use std::sync::Arc;

use engine::{Command, Link, Linked, Record};
use kernel::{Actor, Channel, Reader};
use serde_json::json;
use store::{Act, Done, LinkRow, Setback, Store, Target, Tie};
use uuid::Uuid;

use crate::{
    everywhere,
    site::{Site, agent, done, record_of, stranger},
};

everywhere!(
    an_end_told_by_an_event_is_kept_once,
    a_link_to_another_service_waits_for_its_answer,
    a_tie_to_what_is_not_there_or_not_visible_is_on_record,
);

fn plan(id: Uuid) -> Linked {
    Linked { id, number: "PLN0000007".into(), process: "plan".into() }
}

/// What the plan's service says: the plan is tied to a case.
fn told(site: &Site, case: &str, relation: (&str, &str), by: &Actor) -> Act {
    let link = Link {
        relation: relation.0.into(),
        inverse: relation.1.into(),
        to: Linked { id: Uuid::nil(), number: case.into(), process: "case".into() },
    };
    let from = plan(Uuid::from_u128(7));
    let tie = Tie { from, audience: vec!["role:agent".into()], link, by: by.reader() };
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
