//! CloudEvents 1.0 over HTTP as signals: one in its structured form, a batch of them, or one whose
//! attributes are `ce-` headers.

use std::collections::BTreeMap;

use contract::{Signal, SignalStatus};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Arrival, fingerprint, quarantine,
    words::{self, Labels, Word},
};

/// The `source` of these signals.
pub const SOURCE: &str = "cloudevents";

/// Attributes that we use; extensions are ignored.
#[derive(Default, Deserialize)]
struct Attributes {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: Option<String>,
    time: Option<String>,
}

#[derive(Deserialize)]
struct Structured<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    data_base64: Option<serde::de::IgnoredAny>,
}

/// What an event may say of its alert; other fields are its own business.
#[derive(Default, Deserialize)]
struct Data {
    key: Option<Word>,
    status: Option<Word>,
    title: Option<String>,
    description: Option<String>,
    severity: Option<Word>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
    url: Option<String>,
}

/// Every event of a request as a signal; what cannot be read is among them, as unreadable.
#[must_use]
pub fn signals(headers: &HeaderMap, body: &[u8], arrival: &Arrival) -> Vec<Signal> {
    let whole = |reason: &str| vec![quarantine::unreadable(arrival, SOURCE, reason, body)];
    let content_type = header(headers, "content-type").unwrap_or_default().to_ascii_lowercase();
    if content_type.starts_with("application/cloudevents-batch") {
        return match serde_json::from_slice::<Vec<&RawValue>>(body) {
            Ok(events) => {
                quarantine::read_each(arrival, SOURCE, &events, |text| structured(text, arrival))
            }
            Err(error) => whole(&error.to_string()),
        };
    }
    if !content_type.starts_with("application/cloudevents")
        && headers.keys().any(|name| name.as_str().starts_with("ce-"))
    {
        return match binary(headers, &content_type, body, arrival) {
            Ok(signal) => vec![signal],
            Err(reason) => whole(&reason),
        };
    }
    match serde_json::from_slice::<&RawValue>(body) {
        Ok(event) => {
            quarantine::read_each(arrival, SOURCE, &[event], |text| structured(text, arrival))
        }
        Err(error) => whole(&error.to_string()),
    }
}

fn structured(text: &str, arrival: &Arrival) -> Result<Signal, String> {
    let attributes: Attributes = words::object(text.as_bytes())?;
    let rest: Structured<'_> = words::object(text.as_bytes())?;
    if rest.data_base64.is_some() {
        return Err("`data_base64` is not read here: send `data` as JSON".to_owned());
    }
    signal(attributes, data(rest.data.map_or("", RawValue::get))?, arrival)
}

fn binary(
    headers: &HeaderMap,
    content_type: &str,
    body: &[u8],
    arrival: &Arrival,
) -> Result<Signal, String> {
    let optional = |name: &str| header(headers, name).map(percent_decoded).transpose();
    let required = |name: &str| {
        optional(name)?.ok_or_else(|| format!("the header `{name}` is missing or not readable"))
    };
    let attributes = Attributes {
        specversion: required("ce-specversion")?,
        id: required("ce-id")?,
        source: required("ce-source")?,
        kind: required("ce-type")?,
        subject: optional("ce-subject")?,
        time: optional("ce-time")?,
    };
    quarantine::fits(body.len())?;
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let media = content_type.split(';').next().unwrap_or_default().trim();
    let data = if media.is_empty() || media.ends_with("json") {
        data(text)?
    } else {
        Data { description: Some(text.to_owned()), ..Data::default() }
    };
    signal(attributes, data, arrival)
}

/// The data of an event: an object with fields that we know, a text as the description, or
/// something of its own that says nothing to us.
fn data(text: &str) -> Result<Data, String> {
    match text.trim_start().as_bytes().first() {
        None => Ok(Data::default()),
        Some(b'{') => {
            serde_json::from_str(text).map_err(|error| format!("in the event's data: {error}"))
        }
        Some(_) => {
            let parsed: Result<Option<&RawValue>, _> = serde_json::from_str(text);
            parsed.map_err(|error| format!("in the event's data: {error}"))?;
            let description = serde_json::from_str::<String>(text).ok();
            Ok(Data { description, ..Data::default() })
        }
    }
}

fn signal(event: Attributes, data: Data, arrival: &Arrival) -> Result<Signal, String> {
    if event.specversion != "1.0" {
        let version = words::cut(&event.specversion, 16);
        return Err(format!("`specversion` is `{version}`, and 1.0 is read"));
    }
    for (name, value) in [("id", &event.id), ("source", &event.source), ("type", &event.kind)] {
        if value.trim().is_empty() {
            return Err(format!("`{name}` is empty"));
        }
    }
    let resolved = data.status.is_some_and(|Word(said)| said.eq_ignore_ascii_case("resolved"))
        || event.kind.ends_with(".resolved");
    let status = if resolved { SignalStatus::Resolved } else { SignalStatus::Firing };
    let at = words::instant(event.time.as_deref())?;
    let subject = event.subject.filter(|subject| !subject.trim().is_empty());
    let key = match (data.key.map(|Word(key)| key).filter(|key| !key.trim().is_empty()), &subject) {
        (Some(key), _) => key,
        (None, Some(subject)) => format!("{}/{subject}", event.source),
        (None, None) => event.source.clone(),
    };
    let title = match (data.title.filter(|title| !title.trim().is_empty()), &subject) {
        (Some(title), _) => title,
        (None, Some(subject)) => format!("{}: {subject}", event.kind),
        (None, None) => event.kind.clone(),
    };
    let (Labels(mut labels), Labels(mut annotations)) = (data.labels, data.annotations);
    if let Some(Word(severity)) = data.severity {
        labels.entry("severity".to_owned()).or_insert(severity);
    }
    annotations.extend(BTreeMap::from([
        ("ce_id".to_owned(), event.id),
        ("ce_source".to_owned(), event.source),
        ("ce_type".to_owned(), event.kind),
    ]));
    let description = data.description.unwrap_or_default();
    words::without_nul(
        labels
            .iter()
            .chain(&annotations)
            .flat_map(|(name, value)| [name.as_str(), value.as_str()])
            .chain([key.as_str(), title.as_str(), description.as_str()]),
    )?;
    Ok(Signal {
        integration: arrival.integration.clone(),
        source: SOURCE.to_owned(),
        key: fingerprint::bounded_key(key),
        status,
        title: words::title(&title),
        description: words::description(&description),
        labels,
        annotations,
        starts_at: at.filter(|_| !resolved),
        ends_at: at.filter(|_| resolved),
        url: words::web_address(data.url),
        received_at: Some(arrival.at),
        reason: None,
        raw: None,
        raw_sha256: None,
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A header's value as the HTTP binding writes it: `%E2%82%AC` for what is not printable ASCII.
fn percent_decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let decoded = match byte {
            b'%' => {
                let pair = digit(rest.next()).zip(digit(rest.next()));
                let number = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                number.ok_or_else(|| format!("`{text}` is not percent-encoded"))?
            }
            plain => plain,
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).map_err(|_| format!("`{text}` does not encode UTF-8"))
}

#[cfg(test)]
mod tests;
