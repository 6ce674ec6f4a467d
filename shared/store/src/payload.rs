//! What the journal keeps of a fact, and what consumers receive: the exact bytes.

use chrono::{DateTime, SecondsFormat, Utc};
use engine::{Fact, Links, Record};
use kernel::Actor;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The record's own columns as [`Record::view`] names them; `data` follows, written once for the
/// row and the payload alike.
#[derive(Serialize)]
struct Head<'a> {
    id: Uuid,
    number: &'a str,
    process: &'a str,
    definition: u32,
    state: &'a str,
    rev: u64,
    #[serde(serialize_with = "micros")]
    opened_at: DateTime<Utc>,
    #[serde(serialize_with = "micros")]
    updated_at: DateTime<Utc>,
    #[serde(serialize_with = "maybe_micros")]
    closed_at: Option<DateTime<Utc>>,
    opened_by: &'a str,
}

#[derive(Serialize)]
struct Tail<'a> {
    actor: &'a Actor,
    #[serde(flatten)]
    fact: &'a Fact,
}

fn micros<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

// serde hands over a reference to the field.
#[expect(clippy::ref_option, reason = "the signature that serialize_with asks for")]
fn maybe_micros<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => micros(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// `{"record": …, "actor": …, …the fact}`, where `data` is the record's data as JSON already.
pub(crate) fn write(record: &Record, data: &str, actor: &Actor, fact: &Fact) -> Vec<u8> {
    let head = Head {
        id: record.id,
        number: &record.number,
        process: &record.process,
        definition: record.definition,
        state: &record.state,
        rev: record.revision,
        opened_at: record.opened_at,
        updated_at: record.updated_at,
        closed_at: record.closed_at,
        opened_by: &record.opened_by,
    };
    let mut bytes = Vec::with_capacity(1024 + 2 * data.len());
    bytes.extend_from_slice(b"{\"record\":");
    append(&mut bytes, &head);
    // The head is an object with fields, so that its last byte is the brace to move.
    bytes.pop();
    bytes.extend_from_slice(b",\"data\":");
    bytes.extend_from_slice(data.as_bytes());
    bytes.push(b'}');
    let tail = bytes.len();
    append(&mut bytes, &Tail { actor, fact });
    // The tail's opening brace becomes the comma between the two.
    if let Some(brace) = bytes.get_mut(tail) {
        *brace = b',';
    }
    bytes
}

fn append(bytes: &mut Vec<u8>, value: &impl Serialize) {
    // Maps with text keys and a Vec to write to: serialising them cannot fail.
    let _ = serde_json::to_writer(bytes, value);
}

/// A record's data as its row keeps it.
pub(crate) fn data_of(record: &Record) -> String {
    serde_json::to_string(&record.data).unwrap_or_default()
}

/// The fact in a payload.
pub(crate) fn fact_in(payload: &[u8]) -> Result<Fact, serde_json::Error> {
    serde_json::from_slice(payload)
}

#[derive(Deserialize)]
struct Shown {
    record: View,
}

#[derive(Deserialize)]
struct View {
    id: Uuid,
    number: String,
    process: String,
    definition: u32,
    state: String,
    rev: u64,
    opened_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    opened_by: String,
    data: Map<String, Value>,
}

/// The record as a payload shows it. The payload does not say when the state was entered: the
/// moment of the event stands in for it.
pub(crate) fn record_in(
    payload: &[u8],
    audience: Vec<String>,
) -> Result<Record, serde_json::Error> {
    let view = serde_json::from_slice::<Shown>(payload)?.record;
    Ok(Record {
        id: view.id,
        process: view.process,
        number: view.number,
        definition: view.definition,
        state: view.state,
        revision: view.rev,
        data: view.data,
        audience,
        opened_at: view.opened_at,
        updated_at: view.updated_at,
        entered_at: view.updated_at,
        closed_at: view.closed_at,
        opened_by: view.opened_by,
        links: Links::default(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kernel::Channel;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_payload_shows_the_record_as_the_api_does_and_gives_the_fact_back() {
        let at = DateTime::from_timestamp_micros(1_760_000_000_000_001).unwrap_or_default();
        let record = Record {
            id: Uuid::from_u128(7),
            process: "case".into(),
            number: "CAS0000001".into(),
            definition: 1,
            state: "new".into(),
            revision: 1,
            data: Map::from_iter([("title".into(), json!("Mail \"is\" down"))]),
            audience: vec!["role:agent".into()],
            opened_at: at,
            updated_at: at,
            entered_at: at,
            closed_at: None,
            opened_by: "person:PER0000001".into(),
            links: Links::default(),
        };
        let fact = Fact {
            event: "opened".into(),
            at,
            opened: None,
            transition: None,
            from: None,
            to: Some("new".into()),
            role: None,
            changes: BTreeMap::from([("title".into(), (json!(null), json!("x")))]),
            comment: None,
            attachment: None,
            link: None,
            unlink: None,
            is_answer: false,
            erasure: None,
            migration: None,
            audience: None,
            computed: Map::new(),
            timers: Some(vec![]),
            more_timers: Vec::new(),
            fewer_timers: Vec::new(),
            notices: Vec::new(),
            is_final: false,
            channel: Channel::Api,
            implied: false,
        };
        let actor = Actor::system("incident");
        let bytes = write(&record, &data_of(&record), &actor, &fact);
        let value: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(value["record"], record.view());
        let data: contract::EventData = serde_json::from_slice(&bytes).expect("event data");
        assert_eq!(data.actor, actor);
        assert_eq!(fact_in(&bytes).expect("the fact"), fact);
        assert_eq!(record_in(&bytes, record.audience.clone()).expect("the record"), record);
    }
}
