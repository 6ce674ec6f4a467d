//! What cannot be read is kept aside with its reason, so that it is counted and nothing waits for it.

use contract::{Signal, SignalStatus};
use serde_json::value::RawValue;

use super::{Arrival, fingerprint, words};

/// How much of what could not be read is kept, in bytes.
const RAW_BYTES: usize = 8 * 1024;
/// The largest single alert, in bytes; a record's data has no room for more.
const ALERT_BYTES: usize = 256 * 1024;
/// So many unreadable parts of one body are kept one by one; the rest is kept as one, so that a
/// body of 8 MiB does not become gigabytes.
const UNREADABLE_PARTS: usize = 1_000;

/// What came, as a signal that says why it was not understood.
pub fn unreadable(arrival: &Arrival, source: &str, reason: &str, raw: &[u8]) -> Signal {
    let digest = fingerprint::sha256(raw);
    Signal {
        integration: arrival.integration.clone(),
        source: source.to_owned(),
        key: format!("sha256:{digest}"),
        status: SignalStatus::Unreadable,
        title: String::new(),
        description: String::new(),
        labels: Default::default(),
        annotations: Default::default(),
        starts_at: None,
        ends_at: None,
        url: None,
        received_at: Some(arrival.at),
        reason: Some(words::readable(reason.as_bytes(), 1024)),
        raw: Some(words::readable(raw, RAW_BYTES)),
        raw_sha256: Some(digest),
    }
}

/// Reads each part of a body alone: one that cannot be read does not keep the others back.
pub fn read_each(
    arrival: &Arrival,
    source: &str,
    parts: &[&RawValue],
    read: impl Fn(&str) -> Result<Signal, String>,
) -> Vec<Signal> {
    let mut signals = Vec::with_capacity(parts.len().min(4096));
    let mut quarantined = 0;
    let mut rest: Vec<&str> = Vec::new();
    for (position, part) in parts.iter().enumerate() {
        let text = part.get();
        match fits(text.len()).and_then(|()| read(text)) {
            Ok(signal) => signals.push(signal),
            Err(_) if quarantined >= UNREADABLE_PARTS => rest.push(text),
            Err(reason) => {
                quarantined += 1;
                let reason = format!("number {}: {reason}", position + 1);
                signals.push(unreadable(arrival, source, &reason, text.as_bytes()));
            }
        }
    }
    if !rest.is_empty() {
        let reason = format!("{} more parts of the same body could not be read", rest.len());
        signals.push(unreadable(arrival, source, &reason, rest.join("\n").as_bytes()));
    }
    signals
}

/// Whether one alert of so many bytes is taken.
///
/// # Errors
/// A sentence, when it is too large.
pub fn fits(bytes: usize) -> Result<(), String> {
    if bytes <= ALERT_BYTES {
        return Ok(());
    }
    Err(format!("it has {bytes} bytes, and at most {ALERT_BYTES} are taken"))
}
