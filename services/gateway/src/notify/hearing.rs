//! What services want to be told, as one notification for each who is told.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Interpret, Office, Said, config::Notify};
use contract::Envelope;
use engine::{Happening, Notice};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Setback;

use super::people::{People, Reachable};

/// What the event of a notification is called here.
const ASKED: &str = "notification.asked.v1";

/// Hears the events that say who is to be told.
pub(super) struct Hearing {
    has_mail: bool,
    /// Webhooks by the names that they are told with, such as `role:incident_manager`.
    webhooks: BTreeMap<String, BTreeSet<String>>,
}

/// The data of an event, as far as it tells somebody something.
#[derive(Deserialize)]
struct Told {
    record: Of,
    #[serde(default)]
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
struct Of {
    id: String,
    number: String,
    process: String,
}

/// Who is told, and where; or why it does not go.
struct Recipient {
    to: String,
    address: Option<String>,
    reason: Option<String>,
}

impl Hearing {
    pub fn new(config: &Notify) -> Self {
        let mut webhooks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, webhook) in &config.webhooks {
            let own = format!("webhook:{name}");
            for told in webhook.told_with.iter().chain([&own]) {
                webhooks.entry(told.clone()).or_default().insert(name.clone());
            }
        }
        Self { has_mail: !config.smtp_url.is_empty(), webhooks }
    }

    fn happenings(&self, event: &Envelope, told: &Told, people: &People) -> Vec<Happening> {
        let mut happenings = Vec::new();
        for notice in &told.notices {
            for recipient in self.recipients(notice, event, people) {
                let key = format!("{}/{}/{}", event.id, notice.rule, recipient.to);
                let said = json!({
                    "key": key,
                    "of": told.record.id,
                    "of_number": told.record.number,
                    "of_process": told.record.process,
                    "event": notice.of,
                    "rule": notice.rule,
                    "to": recipient.to,
                    "address": recipient.address,
                    "reason": recipient.reason,
                    "subject": notice.subject,
                    "text": notice.text,
                    "seen_by": event.audience,
                });
                happenings.push(Happening { kind: ASKED.to_owned(), event: said, record: None });
            }
        }
        happenings
    }

    /// Each of those who are told, once, by whatever names.
    fn recipients(&self, notice: &Notice, event: &Envelope, people: &People) -> Vec<Recipient> {
        let mut found: BTreeMap<String, Recipient> = BTreeMap::new();
        for name in &notice.to {
            for webhook in self.webhooks.get(name).into_iter().flatten() {
                let to = format!("webhook:{webhook}");
                let address = Some(webhook.clone());
                found.insert(to.clone(), Recipient { to, address, reason: None });
            }
            let behind = people.behind(name);
            if behind.is_empty() && !self.webhooks.contains_key(name) {
                let reason = Some(format!("nobody is known as {name}"));
                found.insert(name.clone(), Recipient { to: name.clone(), address: None, reason });
            }
            for person in behind {
                found.insert(person.actor.id.clone(), self.by_mail(person, event));
            }
        }
        found.into_values().collect()
    }

    fn by_mail(&self, person: &Reachable, event: &Envelope) -> Recipient {
        let (to, name) = (person.actor.id.clone(), &person.actor.name);
        let refuse =
            |reason: String| Recipient { to: to.clone(), address: None, reason: Some(reason) };
        if !person.actor.reader().sees(&event.audience) {
            return refuse(format!("{name} may not see {}", event.number));
        }
        match &person.email {
            None => refuse(format!("{name} has no e-mail address")),
            Some(_) if !self.has_mail => {
                refuse("there is no mail server: notify.smtp_url is empty".to_owned())
            }
            Some(email) => Recipient { to, address: Some(email.clone()), reason: None },
        }
    }
}

impl Interpret for Hearing {
    fn interpret<'a>(
        &'a self,
        office: &'a Office,
        events: &'a [Envelope],
    ) -> BoxFuture<'a, Result<Vec<Said>, Setback>> {
        Box::pin(async move {
            let mut people = None;
            let mut said: Vec<Said> = Vec::with_capacity(events.len());
            for event in events {
                if !event.kind.ends_with(".notified.v1") {
                    said.push(Ok(Vec::new()));
                    continue;
                }
                let told: Told = match serde_json::from_slice(&event.data) {
                    Ok(told) => told,
                    // What was erased before it was told is told to nobody.
                    Err(_) if event.data == b"{}" => {
                        said.push(Ok(Vec::new()));
                        continue;
                    }
                    Err(error) => {
                        said.push(Err(error.to_string()));
                        continue;
                    }
                };
                if people.is_none() {
                    people = Some(People::read(&office.store).await?);
                }
                let known = people.iter();
                said.push(Ok(known.flat_map(|all| self.happenings(event, &told, all)).collect()));
            }
            Ok(said)
        })
    }
}

/// What a record of a notification says that matters for sending it.
#[derive(Deserialize)]
pub(super) struct Letter {
    pub to: String,
    pub address: String,
    pub subject: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub tries: u32,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}
