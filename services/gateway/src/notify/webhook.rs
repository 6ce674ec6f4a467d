//! Webhooks, signed so that who takes them knows who sent them (Standard Webhooks 1.0).
//!
//! Definitions name a webhook; where it is, the operator alone says. None leads on by a redirect.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chassis::config::{Notify, Webhook};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use http::{StatusCode, header};
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

use super::{hearing::Letter, mail::chain, sender::Fate};

/// A receiver that says nothing for so long does not answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How secrets of Standard Webhooks begin; what follows is base64.
const SECRET_PREFIX: &str = "whsec_";

/// The receivers that the operator names.
pub(super) struct Webhooks {
    client: reqwest::Client,
    all: BTreeMap<String, Webhook>,
}

impl Webhooks {
    /// # Errors
    /// When a URL is none, or the system's TLS settings cannot be read.
    pub fn open(config: &Notify) -> anyhow::Result<Self> {
        for (name, webhook) in &config.webhooks {
            let is_url = reqwest::Url::parse(&webhook.url)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            anyhow::ensure!(is_url, "notify.webhooks.{name}.url is no http URL");
            anyhow::ensure!(!webhook.secret.is_empty(), "notify.webhooks.{name}.secret is empty");
        }
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, all: config.webhooks.clone() })
    }

    /// Hands a notification over: taken, refused for good, or to be tried again.
    pub async fn send(&self, id: Uuid, letter: &Letter, at: DateTime<Utc>) -> Fate {
        let Some(webhook) = self.all.get(&letter.address) else {
            return Fate::Never(format!("there is no webhook `{}` any more", letter.address));
        };
        let told = ["of", "of_number", "of_process", "event", "rule"];
        let told = told.map(|name| (name, letter.rest.get(name)));
        let mut body = json!({ "id": id, "subject": letter.subject, "text": letter.text });
        for (name, value) in told {
            body[name] = json!(value);
        }
        let (id, body) = (id.to_string(), body.to_string());
        let stamp = at.timestamp().to_string();
        let signature = sign(webhook.secret.reveal(), &id, &stamp, &body);
        let request = self
            .client
            .post(&webhook.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", stamp)
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Fate::Sent(answer.status().to_string()),
            Ok(answer) if answer.status() == StatusCode::GONE => {
                Fate::Never(answer.status().to_string())
            }
            Ok(answer) => Fate::Later(format!("it answered {}", answer.status())),
            // The URL may hold a token: it is not shown.
            Err(error) => Fate::Later(chain(&error.without_url())),
        }
    }
}

/// `v1,` and the HMAC-SHA-256 of id, time and body, in base64.
fn sign(secret: &str, id: &str, stamp: &str, body: &str) -> String {
    let key = secret.strip_prefix(SECRET_PREFIX).and_then(|text| STANDARD.decode(text).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    let signed = format!("{id}.{stamp}.{body}");
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    mac.update(signed.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // The example of the Standard Webhooks specification and its libraries.
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            "{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
