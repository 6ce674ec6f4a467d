//! What belongs to a record beside its fields: history, what was taken out of it, comments, links.

use std::collections::BTreeSet;

use axum::{
    extract::{Path, Query as Parameters, State},
    response::Response,
};
use engine::{Command, Erasure, Link, Linked};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Entry, LinkRow, RecordRef};
use uuid::Uuid;

use super::{Shelf, list::Asked, one::on_record, wish::LinkWish};
use crate::{door::Door, json::Json, office::time, problem::Problem};

/// What happened to the record, oldest first, each with who, when and what changed.
pub async fn history(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let asked = Asked::parse(pairs, &["limit", "cursor"])?;
    let record = shelf.record(&door, &id).await?;
    let after = after(&asked)?;
    let limit = asked.limit();
    let entries = shelf.office.store.history(record.id, after, limit).await?;
    let next = (entries.len() as u64 == limit && limit > 0)
        .then(|| entries.last().map(|entry| entry.revision))
        .flatten()
        .filter(|revision| *revision < record.revision);
    let shown = numbers_shown(&shelf, &door, record.id, &entries).await?;
    let has_gaps = entries.iter().any(|entry| entry.payload.is_none());
    let erasures =
        if has_gaps { shelf.office.store.erasures(record.id).await? } else { Vec::new() };
    let items: Vec<Value> = entries.iter().map(|entry| view(entry, &shown, &erasures)).collect();
    Ok(axum::Json(json!({ "items": items, "next": next.map(|revision| revision.to_string()) })))
}

/// The revision that a history's cursor stands for.
fn after(asked: &Asked) -> Result<u64, Problem> {
    let Some(cursor) = &asked.cursor else { return Ok(0) };
    cursor.parse().map_err(|_| {
        Problem::invalid("/cursor", "cursor", "`cursor` must be the `next` of the page before.")
    })
}

/// What an entry shows of the event's data, where it is there.
const SHOWN: [&str; 15] = [
    "notices",
    "attachment",
    "transition",
    "from",
    "to",
    "role",
    "comment",
    "link",
    "unlink",
    "changes",
    "erasure",
    "migration",
    "computed",
    "channel",
    "implied",
];

/// The number of the record that an entry ties this one to, or frees it from.
fn linked_to(entry: &Entry) -> Option<&str> {
    let payload = entry.payload.as_ref()?;
    let number =
        payload.pointer("/link/to/number").or_else(|| payload.pointer("/unlink/to/number"));
    number?.as_str()
}

/// The records that entries name as an end of a link and that the reader may know of: those that they
/// see here, and those of other services while they are tied. Of these nobody here knows afterwards.
async fn numbers_shown(
    shelf: &Shelf,
    door: &Door,
    record: Uuid,
    entries: &[Entry],
) -> Result<BTreeSet<String>, Problem> {
    let mut unknown: BTreeSet<&str> = entries.iter().filter_map(linked_to).collect();
    let mut shown = BTreeSet::new();
    if unknown.is_empty() {
        return Ok(shown);
    }
    let (store, reader) = (&shelf.office.store, door.reader());
    for link in store.links(record, &reader).await? {
        unknown.remove(link.other.number.as_str());
        shown.insert(link.other.number);
    }
    let rules = shelf.office.rules();
    for number in unknown {
        let Some(definition) = rules.by_number(number) else { continue };
        let which = RecordRef::Number(number.to_owned());
        if store.record(&definition.process, &which, &reader).await?.is_some() {
            shown.insert(number.to_owned());
        }
    }
    Ok(shown)
}

/// One entry as the API shows it. What was erased has left no more than that it happened, and who
/// erased it; a link to a record that is not `shown` to the reader no more than that there was one.
fn view(entry: &Entry, shown: &BTreeSet<String>, erasures: &[Entry]) -> Value {
    let mut view = json!({
        "id": entry.event_id,
        "rev": entry.revision,
        "type": entry.kind,
        "event": entry.kind.split('.').nth(1),
        "at": time(entry.occurred_at),
        "recorded_at": time(entry.at),
        "actor": by(entry),
        "changes": {},
        "correlation": entry.correlation,
        "causation": entry.causation,
    });
    match &entry.payload {
        Some(payload) => {
            for name in SHOWN {
                if let Some(value) = payload.get(name) {
                    view[name] = value.clone();
                }
            }
        }
        None => view["erased"] = erased(entry, erasures),
    }
    if linked_to(entry).is_some_and(|number| !shown.contains(number))
        && let Some(view) = view.as_object_mut()
    {
        view.remove("link");
        view.remove("unlink");
    }
    view
}

/// Who erased the content of an entry, when and why. Where the erasure's own content is gone, because
/// it showed what was erased later, nobody knows the reason any more.
fn erased(entry: &Entry, erasures: &[Entry]) -> Value {
    let names = |erasure: &&Entry| match &erasure.payload {
        Some(payload) => payload
            .pointer("/erasure/revisions")
            .and_then(Value::as_array)
            .is_some_and(|revisions| revisions.contains(&entry.revision.into())),
        None => true,
    };
    let mut later = erasures.iter().filter(|erasure| erasure.revision > entry.revision);
    let Some(erasure) = later.find(names) else { return json!({}) };
    let reason = erasure.payload.as_ref().and_then(|payload| payload.pointer("/erasure/reason"));
    json!({
        "rev": erasure.revision,
        "by": by(erasure),
        "at": time(erasure.occurred_at),
        "reason": reason,
    })
}

/// Who did it: as they were called then.
pub(super) fn by(entry: &Entry) -> Value {
    let actor = entry.payload.as_ref().and_then(|payload| payload.get("actor"));
    let name = actor.and_then(|actor| actor.get("name")).and_then(Value::as_str);
    json!({ "id": entry.actor, "name": name.unwrap_or(&entry.actor) })
}

/// Everything that people said about the record, oldest first.
pub async fn comments(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let record = shelf.record(&door, &id).await?;
    let mut items = Vec::new();
    let mut after = 0;
    loop {
        let entries = shelf.office.store.history(record.id, after, 500).await?;
        let Some(last) = entries.last() else { break };
        after = last.revision;
        items.extend(entries.iter().filter_map(|entry| {
            let text = entry.payload.as_ref()?.get("comment")?;
            Some(json!({
                "rev": entry.revision,
                "at": time(entry.occurred_at),
                "by": by(entry),
                "text": text,
            }))
        }));
        if entries.len() < 500 {
            break;
        }
    }
    Ok(axum::Json(json!({ "items": items })))
}

/// Erases values of fields, and the content of revisions, for good (administrators):
/// `{"fields":["description"],"revisions":[4],"reason":"…"}`. That it happened stays.
pub async fn erase(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let Wanted { fields, revisions, reason } = body.typed()?;
    let command = Command::Erase(Erasure { fields, revisions, reason });
    on_record(&shelf, &door, &id, once, command, StatusCode::OK).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    revisions: Vec<u64>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remark {
    text: String,
}

/// Says something about the record: `{"text":"…"}`.
pub async fn comment(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let Remark { text } = body.typed()?;
    on_record(&shelf, &door, &id, once, Command::Comment { text }, StatusCode::CREATED).await
}

/// The records that this one is tied to, seen from its end: those that the caller sees. A link to a
/// record of another service is `confirmed` once that service has found it.
pub async fn links(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let record = shelf.record(&door, &id).await?;
    let links = shelf.office.store.links(record.id, &door.reader()).await?;
    let items: Vec<Value> = links.iter().map(link_view).collect();
    Ok(axum::Json(json!({ "items": items })))
}

/// A link as the API shows it; the id of another service's record comes with its confirmation.
fn link_view(link: &LinkRow) -> Value {
    let other = &link.other;
    let id = Some(other.id).filter(|id| !id.is_nil());
    json!({
        "relation": link.relation,
        "to": { "id": id, "number": other.number, "process": other.process },
        "at": time(link.at),
        "confirmed": link.is_confirmed,
    })
}

/// Ties the record to another, by id or number: `{"relation":"caused_by","to":"INC0000041"}`. A record
/// of another service is named by its number.
pub async fn link(
    State(shelf): State<Shelf>,
    Path(id): Path<String>,
    door: Door,
    body: Json,
) -> Result<Response, Problem> {
    let once = door.once(&body.digest);
    let wish: LinkWish = body.typed()?;
    let command = wish.command(&shelf, &door).await?;
    on_record(&shelf, &door, &id, once, command, StatusCode::CREATED).await
}

/// Ends a tie of the record, whichever end made it, as the record's own `links` call it. Its other end
/// ends with it, in another service as soon as that hears of it. What the caller does not see is no tie.
pub async fn unlink(
    State(shelf): State<Shelf>,
    Path((id, relation, to)): Path<(String, String, String)>,
    door: Door,
) -> Result<Response, Problem> {
    let once = door.once(format!("{relation} {to}").as_bytes());
    let record = shelf.record(&door, &id).await?;
    let links = shelf.office.store.links(record.id, &door.reader()).await?;
    let meant = links.into_iter().find(|row| row.relation == relation && row.other.number == to);
    let link = match meant {
        Some(row) => Link { relation, inverse: row.inverse, to: row.other },
        // Refused, unless the same request ended it before.
        None => Link {
            relation: String::new(),
            inverse: String::new(),
            to: Linked { id: Uuid::nil(), number: to, process: String::new() },
        },
    };
    on_record(&shelf, &door, &id, once, Command::Unlink { link }, StatusCode::OK).await
}
