//! The journal is sealed now and then, and the bus is told.

use std::time::Duration;

use anyhow::Context as _;
use bus::{Bus, Message};
use chrono::{DateTime, Utc};
use contract::Envelope;
use kernel::{Actor, derived_id};
use serde_json::json;
use store::Checkpoint;
use tokio_util::sync::CancellationToken;

use crate::{Office, Seal, door::named_id};

/// Makes and tells checkpoints until `stop`: one at once, of what is new since the last run.
pub(super) async fn run(office: Office, seal: Seal, every: Duration, stop: CancellationToken) {
    loop {
        if let Err(error) = pass(&office, &seal).await {
            let error = format!("{error:#}");
            tracing::error!(
                error,
                "the journal has no new checkpoint, or the bus does not know it"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn pass(office: &Office, seal: &Seal) -> anyhow::Result<()> {
    if let Some(last) = office.store.checkpoints(1).await?.pop() {
        let service = &office.service;
        anyhow::ensure!(
            seal.has_signed(last.statement(service).as_bytes(), &last.signature),
            "checkpoint {} of {service} was signed with another key than this replica has: all \
             replicas need the same files (`journal.private_key_file`, `journal.public_key_file`)",
            last.n
        );
    }
    let made = office.store.checkpoint(|statement| seal.sign(statement)).await?;
    if let Some(made) = made {
        let statement = made.statement(&office.service);
        tracing::info!(statement, "the journal is sealed");
    }
    let Some(bus) = office.bus.as_ref().filter(|bus| bus.is_connected()) else { return Ok(()) };
    for made in office.store.untold_checkpoints().await? {
        tell(office, bus, &made).await?;
        office.store.told_checkpoint(made.n).await?;
    }
    Ok(())
}

async fn tell(office: &Office, bus: &Bus, made: &Checkpoint) -> anyhow::Result<()> {
    let service = &office.service;
    let message = Message::event(service, event(service, made));
    let told = bus.publish_all(&contract::subject::stream(service), vec![message]).await;
    told.context("the checkpoint could not be published")
}

/// The event of a checkpoint: `checkpoint.made.v1`, for auditors. All of a service are of one record,
/// whose revisions they are.
fn event(service: &str, made: &Checkpoint) -> Envelope {
    let actor = Actor::system(service);
    let journal = named_id("journal", service);
    let id = derived_id(journal, DateTime::<Utc>::UNIX_EPOCH, u32::try_from(made.n).unwrap_or(0));
    let number = format!("{service}/{}", made.n);
    let data = json!({
        "record": {
            "id": journal, "number": number, "process": "checkpoint", "definition": 1,
            "state": "made", "rev": made.n, "opened_at": made.at, "updated_at": made.at,
            "closed_at": null, "opened_by": actor.id,
            "data": view(service, made),
        },
        "event": "made", "at": made.at, "changes": {}, "actor": actor,
    });
    Envelope {
        id,
        source: format!("/steward/{service}"),
        kind: contract::event_type("checkpoint", "made", 1),
        time: made.at,
        number,
        record: journal,
        revision: made.n,
        correlation: id,
        causation: None,
        actor: actor.id.clone(),
        audience: vec!["role:auditor".to_owned()],
        traceparent: None,
        data: data.to_string().into_bytes(),
    }
}

/// A checkpoint as auditors see it: what is signed, and the signature.
pub(crate) fn view(service: &str, made: &Checkpoint) -> serde_json::Value {
    json!({
        "n": made.n,
        "at": crate::office::time(made.at),
        "entries": made.entries,
        "root": hex::encode(&made.root),
        "statement": made.statement(service),
        "signature": hex::encode(&made.signature),
    })
}
