//! Alertmanager's webhook, version 4: a group of alerts, each with a status of its own.
//!
//! The group's key changes when routes are edited and a truncated group lacks alerts, so neither
//! says anything about an alert; only what is listed counts. Unknown fields are ignored, because
//! newer senders add some.

use contract::{Signal, SignalStatus};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Arrival, fingerprint, quarantine,
    words::{self, Labels},
};

/// The `source` of these signals.
pub const SOURCE: &str = "alertmanager";

#[derive(Deserialize)]
struct Group<'a> {
    /// `null` is an empty list, as Go prints one. Every alert is read alone, later.
    #[serde(borrow)]
    alerts: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: String,
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
    starts_at: Option<String>,
    ends_at: Option<String>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
    fingerprint: Option<String>,
}

/// Every alert of a webhook call as a signal; what cannot be read is among them, as unreadable.
#[must_use]
pub fn signals(body: &[u8], arrival: &Arrival) -> Vec<Signal> {
    let whole = |reason: &str| vec![quarantine::unreadable(arrival, SOURCE, reason, body)];
    match words::object::<Group<'_>>(body) {
        Err(reason) => whole(&reason),
        Ok(Group { alerts: None }) if !says_null(body) => whole("`alerts` is missing"),
        Ok(Group { alerts }) => {
            let alerts = alerts.unwrap_or_default();
            quarantine::read_each(arrival, SOURCE, &alerts, |text| read(text, arrival))
        }
    }
}

/// Whether `alerts` is there and `null`, which serde does not tell from an absent one.
fn says_null(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Present<'a> {
        #[serde(borrow)]
        #[expect(dead_code, reason = "only its presence is asked for")]
        alerts: &'a RawValue,
    }
    serde_json::from_slice::<Present<'_>>(body).is_ok()
}

fn read(text: &str, arrival: &Arrival) -> Result<Signal, String> {
    let alert: Alert = words::object(text.as_bytes())?;
    let status = match alert.status.as_str() {
        "firing" => SignalStatus::Firing,
        "resolved" => SignalStatus::Resolved,
        other => return Err(format!("the status `{}` is unknown", words::cut(other, 64))),
    };
    let (Labels(labels), Labels(annotations)) = (alert.labels, alert.annotations);
    let key = match alert.fingerprint.filter(|given| !given.trim().is_empty()) {
        Some(given) => given,
        None if labels.is_empty() => return Err("it has neither labels nor fingerprint".to_owned()),
        None => fingerprint::of_labels(&labels),
    };
    words::without_nul(
        labels.iter().chain(&annotations).flat_map(|(name, value)| [name.as_str(), value.as_str()]),
    )?;
    words::without_nul([key.as_str()])?;
    let starts_at = words::instant(alert.starts_at.as_deref())?;
    let ends_at = words::instant(alert.ends_at.as_deref())?;
    let title = words::first_said([annotations.get("summary"), labels.get("alertname")]);
    let description =
        words::first_said([annotations.get("description"), annotations.get("message")]);
    Ok(Signal {
        integration: arrival.integration.clone(),
        source: SOURCE.to_owned(),
        status,
        title: words::title(title.unwrap_or(&key)),
        description: words::description(description.unwrap_or_default()),
        key: fingerprint::bounded_key(key),
        labels,
        annotations,
        starts_at,
        ends_at: ends_at.filter(|_| status == SignalStatus::Resolved),
        url: words::web_address(alert.generator_url),
        received_at: Some(arrival.at),
        reason: None,
        raw: None,
        raw_sha256: None,
    })
}

#[cfg(test)]
mod tests;
