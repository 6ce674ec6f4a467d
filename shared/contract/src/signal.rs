//! What a monitoring tool says, in one form for all of them.
//!
//! Anything may publish this as JSON to `steward.alerts.{source}.{key}`; the gateway's intake makes
//! it from Alertmanager's webhook and from CloudEvents.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The `ce-type` of a message on ALERTS.
pub const SIGNAL_TYPE: &str = "signal.received.v1";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalStatus {
    Firing,
    Resolved,
    /// The intake could not read it; `reason` says why and `raw` keeps what came.
    Unreadable,
}

/// One alert of one message of a monitoring tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The integration that vouches for it: the API key's number, or the publisher's own name.
    pub integration: String,
    /// `alertmanager`, `cloudevents`, or the publisher's own word.
    pub source: String,
    /// What makes two signals the same alert within an integration: fingerprint, dedup key, alias.
    pub key: String,
    pub status: SignalStatus,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// Only when resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Where the tool shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the intake took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<DateTime<Utc>>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What came, as text, cut to 8 KiB where it could not be read or was over 256 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// SHA-256 of the whole of what came, when `raw` is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_sha256: Option<String>,
}

/// `integration` and `key` as one subject token: letters, digits, `-` and `_` are kept, other
/// bytes become `=XX`. Reversible, and distinct for distinct inputs.
#[must_use]
pub fn signal_key(key: &str) -> String {
    use std::fmt::Write as _;
    let mut token = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            token.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(token, "={byte:02X}");
        }
    }
    if token.is_empty() { "=".to_owned() } else { token }
}
