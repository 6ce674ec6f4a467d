//! What signed checkpoints show of a journal that was changed together with its chains.

use engine::Record;
use serde_json::json;
use store::{Report, Store};

use crate::{
    everywhere,
    site::{Site, record_of, take},
};

everywhere!(
    a_checkpoint_is_made_of_what_is_new,
    a_history_that_was_cut_is_found,
    a_record_that_is_gone_is_found,
    a_checkpoint_of_somebody_else_is_found,
    checkpoints_go_on_while_many_write,
);

/// Stands for the service's key: whoever does not know the word cannot sign.
fn sign(statement: &[u8]) -> Vec<u8> {
    [b"by the desk: ", statement].concat()
}

fn is_genuine(statement: &[u8], signature: &[u8]) -> bool {
    sign(statement) == signature
}

async fn verify(store: &Store) -> Report {
    store.verify_signed(Some(&is_genuine)).await.expect("a report")
}

fn told(report: &Report) -> Vec<(u64, &str)> {
    let of_checkpoints = report.faults.iter().filter(|fault| fault.number == "checkpoint");
    of_checkpoints.map(|fault| (fault.revision, fault.what.as_str())).collect()
}

/// Two cases of two revisions, with a checkpoint after each revision.
async fn filled(site: &Site, store: &Store) -> Vec<Record> {
    let mut cases = Vec::new();
    for title in ["one", "other"] {
        cases.push(site.case(store, title, json!({})).await);
    }
    store.checkpoint(sign).await.expect("an answer").expect("a checkpoint");
    for case in &cases {
        record_of(store.act(site.on(case, take("start"))).await);
    }
    store.checkpoint(sign).await.expect("an answer").expect("a checkpoint");
    cases
}

async fn a_checkpoint_is_made_of_what_is_new(site: &Site) {
    let store = site.open().await;
    assert_eq!(store.checkpoint(sign).await.expect("an answer"), None);
    filled(site, &store).await;
    assert_eq!(store.checkpoint(sign).await.expect("an answer"), None);
    let made = store.checkpoints(10).await.expect("checkpoints");
    let counts: Vec<_> = made.iter().map(|made| (made.n, made.entries)).collect();
    assert_eq!(counts, [(2, 2), (1, 2)]);
    let report = verify(&store).await;
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.checkpoint.as_ref(), made.first());
    let untold = store.untold_checkpoints().await.expect("checkpoints");
    assert_eq!(untold.iter().map(|made| made.n).collect::<Vec<_>>(), [1, 2]);
    store.told_checkpoint(1).await.expect("it is remembered");
    assert_eq!(store.untold_checkpoints().await.expect("checkpoints").len(), 1);
}

async fn a_history_that_was_cut_is_found(site: &Site) {
    let store = site.open().await;
    filled(site, &store).await;
    // The last step of a record is taken back, and its row made to fit: every chain holds.
    site.meddle("DELETE FROM unsent WHERE seq = 4").await;
    site.meddle("DELETE FROM journal WHERE seq = 4").await;
    site.meddle(
        "UPDATE record SET state = 'fresh', revision = 1, updated_at = opened_at, \
            entered_at = opened_at, \
            head = (SELECT link FROM journal WHERE number = 'CAS0000002' AND revision = 1) \
            WHERE number = 'CAS0000002'",
    )
    .await;
    site.meddle(
        "UPDATE standing SET state = 'fresh', updated_at = (SELECT opened_at FROM record \
            WHERE number = 'CAS0000002') \
            WHERE record_id = (SELECT id FROM record WHERE number = 'CAS0000002')",
    )
    .await;
    let report = verify(&store).await;
    assert_eq!(told(&report), [(2, "1 of the 2 entries that it saw are there")]);
    assert_eq!(report.faults.len(), 1, "only the checkpoint shows it: {report:?}");
}

async fn a_record_that_is_gone_is_found(site: &Site) {
    let store = site.open().await;
    filled(site, &store).await;
    for table in ["standing WHERE record_id", "journal WHERE record_id", "record WHERE id"] {
        let one = "(SELECT id FROM record WHERE number = 'CAS0000001')";
        site.meddle(&format!("DELETE FROM {table} = {one}")).await;
    }
    let report = verify(&store).await;
    let few = "1 of the 2 entries that it saw are there";
    assert_eq!(told(&report), [(1, few), (2, few)]);
    // Without the checkpoint that saw it, another is missed.
    site.meddle("DELETE FROM checkpoint WHERE n = 1").await;
    assert_eq!(told(&verify(&store).await), [(1, "checkpoint 1 is missing")]);
}

async fn a_checkpoint_of_somebody_else_is_found(site: &Site) {
    let store = site.open().await;
    filled(site, &store).await;
    site.case(&store, "third", json!({})).await;
    let forge = |statement: &[u8]| [b"by a thief: ", statement].concat();
    store.checkpoint(forge).await.expect("an answer").expect("a checkpoint");
    let report = verify(&store).await;
    assert_eq!(told(&report), [(3, "it was not signed with the service's key")]);
    assert!(store.verify().await.expect("a report").is_sound(), "nobody asked who signed");
    // What is said of the past cannot be changed either.
    site.meddle("UPDATE checkpoint SET entries = 1, after_seq = 3 WHERE n = 2").await;
    site.meddle("UPDATE checkpoint SET through_seq = 3, entries = 3 WHERE n = 1").await;
    let report = verify(&store).await;
    assert!(told(&report).contains(&(1, "it was not signed with the service's key")), "{report:?}");
}

async fn checkpoints_go_on_while_many_write(site: &Site) {
    let store = site.open().await;
    let acts: Vec<_> = (0..400).map(|n| site.opening(&format!("case {n}"), json!({}))).collect();
    let writing = futures::future::join_all(acts.into_iter().map(|act| store.act(act)));
    let sealing = async {
        for _ in 0..5 {
            store.checkpoint(sign).await.expect("an answer");
        }
    };
    let (done, ()) = futures::join!(writing, sealing);
    done.into_iter().for_each(|done| drop(record_of(done)));
    store.checkpoint(sign).await.expect("an answer");
    let report = verify(&store).await;
    assert!(report.is_sound(), "{report:?}");
    let made = store.checkpoints(10).await.expect("checkpoints");
    assert_eq!(made.iter().map(|made| made.entries).sum::<u64>(), 400);
}
