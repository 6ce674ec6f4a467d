//! Files of records: kept once, found by who finds the record, and gone with what attached them.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use engine::{Attachment, Command, Erasure, Record};
use kernel::{Actor, Reader, Rule};
use serde_json::json;
use store::{Act, Content, PART_BYTES, Setback, Store};
use uuid::Uuid;

use crate::{
    everywhere,
    site::{Site, record_of, tell},
};

everywhere!(
    bytes_come_back_as_they_were_and_lie_once,
    what_was_never_kept_is_not_attached,
    what_is_attached_to_nothing_goes,
    an_erased_revision_takes_its_file_along,
    bytes_that_somebody_changed_show,
);

/// Two parts and a bit.
fn picture() -> Vec<u8> {
    (0..2 * PART_BYTES + 7).map(|at| (at % 251) as u8).collect()
}

async fn kept(store: &Store, bytes: &[u8]) -> (String, u64) {
    let mut arrival = store.receive(Uuid::new_v4()).await.expect("room");
    for piece in bytes.chunks(300_000) {
        arrival.take(piece).await.expect("room");
    }
    arrival.finish().await.expect("it is kept")
}

fn attaching((digest, size): (String, u64)) -> Command {
    let (name, media_type) = ("screen.png".to_owned(), "image/png".to_owned());
    Command::Attach { file: Attachment { name, media_type, size, digest } }
}

async fn content(store: &Store, record: &Record, revision: u64) -> Option<Content> {
    store.attached(record.id, revision).await.expect("an answer").map(|(_, content)| content)
}

async fn bytes_come_back_as_they_were_and_lie_once(site: &Site) {
    let store = site.open().await;
    let one = site.case(&store, "The screen is black", json!({})).await;
    let other = site.case(&store, "So is mine", json!({})).await;
    let (first, again) = (kept(&store, &picture()).await, kept(&store, &picture()).await);
    assert_eq!(first, again);
    record_of(store.act(site.on(&one, attaching(first))).await);
    record_of(store.act(site.on(&other, attaching(again))).await);

    let content = content(&store, &one, 2).await.expect("content");
    assert_eq!((content.size, content.parts), (picture().len() as u64, 3));
    assert_eq!(
        store.attached(other.id, 2).await.expect("an answer").map(|(_, one)| one),
        Some(content)
    );
    let mut bytes = Vec::new();
    for part in 0..content.parts {
        bytes.extend(store.part(content.id, part).await.expect("an answer").expect("a part"));
    }
    assert!(bytes == picture(), "the bytes are others");
    let listed = store.attachments(one.id).await.expect("a list");
    let names: Vec<_> = listed.iter().map(|entry| (entry.revision, &entry.kind[..])).collect();
    assert_eq!(names, [(2, "case.file_attached.v1")]);
    let report = store.verify().await.expect("a report");
    assert!(report.is_sound() && report.files == 2, "{report:?}");
}

async fn what_was_never_kept_is_not_attached(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "The screen is black", json!({})).await;
    match store.act(site.on(&case, attaching(("ab".repeat(32), 7)))).await {
        Err(Setback::Refused(refusal)) => assert_eq!(refusal.rule, Rule::State),
        other => panic!("{other:?}"),
    }
    assert!(store.attachments(case.id).await.expect("a list").is_empty());
}

async fn what_is_attached_to_nothing_goes(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "The screen is black", json!({})).await;
    let used = kept(&store, b"used").await;
    record_of(store.act(site.on(&case, attaching(used))).await);
    let unused = kept(&store, b"never used").await;
    let mut broken_off = store.receive(Uuid::new_v4()).await.expect("room");
    broken_off.take(&picture()).await.expect("room");
    drop(broken_off);

    let now = site.clock.now();
    store.prune(now - TimeDelta::hours(1)).await.expect("pruned");
    record_of(store.act(site.on(&case, attaching(unused))).await);
    let last = kept(&store, b"never used either").await;
    assert_eq!(store.prune(now + TimeDelta::hours(1)).await.expect("pruned"), 4);
    assert!(matches!(store.act(site.on(&case, attaching(last))).await, Err(Setback::Refused(_))));
    assert!(content(&store, &case, 2).await.is_some() && content(&store, &case, 3).await.is_some());
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn an_erased_revision_takes_its_file_along(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "The screen is black", json!({})).await;
    let other = site.case(&store, "So is mine", json!({})).await;
    let shared = kept(&store, b"shared").await;
    record_of(store.act(site.on(&case, attaching(shared.clone()))).await);
    record_of(store.act(site.on(&other, attaching(shared.clone()))).await);
    let own = kept(&store, b"own").await;
    record_of(store.act(site.on(&case, attaching(own.clone()))).await);
    tell(&store).await;

    let erasure =
        Erasure { fields: Vec::new(), revisions: vec![2, 3], reason: "Asked for.".into() };
    let roles = BTreeSet::from([kernel::ADMINISTRATOR.to_owned()]);
    let (id, name) = ("person:PER0000007".to_owned(), "Root".to_owned());
    let root = Arc::new(Actor { id, name, roles, groups: BTreeSet::new() });
    let act = site.on(&case, Command::Erase(erasure));
    record_of(store.act(Act { cause: site.cause(&root), reader: Reader::Everything, ..act }).await);

    assert_eq!((content(&store, &case, 2).await, content(&store, &case, 3).await), (None, None));
    assert!(store.attachments(case.id).await.expect("a list").is_empty());
    assert!(content(&store, &other, 2).await.is_some(), "the other record still has it");
    assert!(matches!(store.act(site.on(&other, attaching(own))).await, Err(Setback::Refused(_))));
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn bytes_that_somebody_changed_show(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "The screen is black", json!({})).await;
    let file = kept(&store, b"as it was").await;
    record_of(store.act(site.on(&case, attaching(file))).await);
    site.meddle("UPDATE content_part SET part = 0, bytes = (SELECT head FROM record LIMIT 1)")
        .await;
    let report = store.verify().await.expect("a report");
    let what: Vec<_> = report.faults.iter().map(|fault| (&*fault.number, fault.revision)).collect();
    assert_eq!(what, [(&*case.number, 2)], "{report:?}");
}
