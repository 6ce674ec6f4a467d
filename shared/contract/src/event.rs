//! The event envelope: CloudEvents 1.0 in NATS binary mode, attributes in `ce-` headers.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use kernel::Actor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// `{process}.{event}.v{version}`, the `ce-type`.
#[must_use]
pub fn event_type(process: &str, event: &str, version: u32) -> String {
    format!("{process}.{event}.v{version}")
}

/// One event as it travels: its attributes, and its data as the exact bytes that the journal keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `ce-id` and `Nats-Msg-Id`.
    pub id: Uuid,
    /// `ce-source`: `/steward/incident`.
    pub source: String,
    /// `ce-type`: `incident.opened.v1`.
    pub kind: String,
    /// `ce-time`: when it happened.
    pub time: DateTime<Utc>,
    /// `ce-subject`: the record's number.
    pub number: String,
    /// `ce-recordid`.
    pub record: Uuid,
    /// `ce-revision`: the record's revision after the event.
    pub revision: u64,
    /// `ce-correlationid`: shared by all that follows from one first cause.
    pub correlation: Uuid,
    /// `ce-causationid`: the event or command that this follows from.
    pub causation: Option<String>,
    /// `ce-actor`: who did it.
    pub actor: String,
    /// `ce-audience`: who may see it, comma-separated tokens.
    pub audience: Vec<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// JSON, see [`EventData`].
    pub data: Vec<u8>,
}

/// The data of every record event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventData {
    /// The record's public view after the event, as the API shows it, without offers.
    pub record: Value,
    /// What changed: field to `[old, new]`.
    #[serde(default)]
    pub changes: BTreeMap<String, (Value, Value)>,
    pub actor: Actor,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A message that is no event of ours, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndecodableEvent(pub String);

impl std::fmt::Display for UndecodableEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UndecodableEvent {}

impl Envelope {
    /// The attributes as NATS headers.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("Nats-Msg-Id", self.id.to_string()),
            ("ce-specversion", "1.0".to_owned()),
            ("ce-id", self.id.to_string()),
            ("ce-source", self.source.clone()),
            ("ce-type", self.kind.clone()),
            ("ce-time", self.time.to_rfc3339_opts(SecondsFormat::Micros, true)),
            ("ce-subject", self.number.clone()),
            ("ce-datacontenttype", "application/json".to_owned()),
            ("ce-recordid", self.record.to_string()),
            ("ce-revision", self.revision.to_string()),
            ("ce-correlationid", self.correlation.to_string()),
            ("ce-actor", self.actor.clone()),
            ("ce-audience", self.audience.join(",")),
        ];
        if let Some(causation) = &self.causation {
            headers.push(("ce-causationid", causation.clone()));
        }
        if let Some(traceparent) = &self.traceparent {
            headers.push(("traceparent", traceparent.clone()));
        }
        headers
    }

    /// Reads an event back from its headers and payload.
    ///
    /// # Errors
    /// A sentence that names the attribute that is missing or malformed.
    pub fn from_message<'a>(
        header: impl Fn(&'static str) -> Option<&'a str>,
        data: &[u8],
    ) -> Result<Self, UndecodableEvent> {
        let text = |name: &'static str| {
            header(name).ok_or_else(|| UndecodableEvent(format!("the header `{name}` is missing")))
        };
        fn parse<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, UndecodableEvent> {
            text.parse().map_err(|_| {
                UndecodableEvent(format!("the header `{name}` has the value `{text}`"))
            })
        }
        Ok(Self {
            id: parse("ce-id", text("ce-id")?)?,
            source: text("ce-source")?.to_owned(),
            kind: text("ce-type")?.to_owned(),
            time: parse("ce-time", text("ce-time")?)?,
            number: text("ce-subject")?.to_owned(),
            record: parse("ce-recordid", text("ce-recordid")?)?,
            revision: parse("ce-revision", text("ce-revision")?)?,
            correlation: parse("ce-correlationid", text("ce-correlationid")?)?,
            causation: header("ce-causationid").map(str::to_owned),
            actor: text("ce-actor")?.to_owned(),
            audience: text("ce-audience")?
                .split(',')
                .filter(|token| !token.is_empty())
                .map(str::to_owned)
                .collect(),
            traceparent: header("traceparent").map(str::to_owned),
            data: data.to_vec(),
        })
    }
}
