//! Plays a script: moves the clock from step to step, and does each as the person who does such a thing.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use gateway::access::secret;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    progress::Progress,
    script::{ADMINISTRATOR, Deed, Script, Step, named},
};
use crate::{Steward, remote::Caller};

/// What the keys are called that people's steps are taken with; they are revoked at the end.
const KEY: &str = "Demonstration";
/// The file in the data folder that keeps the password that everybody signs in with.
pub const PASSWORD_FILE: &str = "demo-password";
/// Of hexadecimal digits: nobody guesses so many, and one can still type them.
const PASSWORD_CHARS: usize = 16;
/// Records that a search looks at.
const LOOKED_AT: usize = 200;

pub struct Player<'a> {
    steward: &'a Steward,
    script: &'a Script,
    progress: &'a mut Progress,
    folder: &'a Path,
    administrator: Caller,
    /// Who acts, once they have a key.
    callers: BTreeMap<String, Caller>,
    /// The numbers of records and people by their names in the script.
    numbers: BTreeMap<String, String>,
}

impl<'a> Player<'a> {
    pub fn new(
        steward: &'a Steward,
        script: &'a Script,
        progress: &'a mut Progress,
        folder: &'a Path,
    ) -> Self {
        let administrator = Caller::new(&steward.url, steward.gateway.token.reveal());
        let (callers, numbers) = (BTreeMap::new(), BTreeMap::new());
        Self { steward, script, progress, folder, administrator, callers, numbers }
    }

    /// Takes every step that was not taken yet, and leaves the clock at the end.
    ///
    /// # Errors
    /// The first step that was refused, with who did it and what was answered.
    pub async fn play(mut self, say: &mut (dyn FnMut(String) + Send)) -> anyhow::Result<()> {
        let total = self.script.steps.len();
        for (index, step) in self.script.steps.iter().enumerate() {
            if let Some(taken) = self.progress.of(&step.id) {
                if let Some(number) = taken {
                    self.numbers.insert(step.life.clone(), number.to_owned());
                }
                continue;
            }
            self.steward.hand.move_to(step.at).await?;
            let number = self.take(step).await.with_context(|| {
                format!("{} by {} at {}: {:?}", step.id, step.by, step.at, step.deed)
            })?;
            self.progress.note(&step.id, step.at, number.clone())?;
            if let Some(number) = number {
                self.numbers.insert(step.life.clone(), number);
            }
            let done = index + 1;
            if done * 10 / total > index * 10 / total {
                say(format!("{done} of {total} steps, up to {}.", step.at.format("%A, %d %B")));
            }
        }
        self.steward.hand.move_to(self.progress.end()).await?;
        self.revoke().await
    }

    /// Takes one step; answers the number of the record that it opened or found.
    async fn take(&mut self, step: &Step) -> anyhow::Result<Option<String>> {
        let with = self.filled(step)?;
        if step.deed == Deed::Find {
            return self.find(step, &with).await.map(Some);
        }
        let path = match self.numbers.get(&step.life) {
            Some(number) => format!("{}/{number}", step.collection),
            None => step.collection.clone(),
        };
        let say = |more: Value| {
            let mut body = with.clone();
            body.extend(more.as_object().cloned().unwrap_or_default());
            Value::Object(body)
        };
        let (method, path, body) = match &step.deed {
            Deed::Open => (Method::POST, step.collection.clone(), Value::Object(with)),
            Deed::Find => return Ok(None),
            Deed::Admit => {
                let person = self.numbers.get(&step.life).context("nobody is there")?;
                let password = self.password()?;
                (
                    Method::POST,
                    "passwords".to_owned(),
                    json!({ "person": person, "password": password }),
                )
            }
            Deed::Take(name) => {
                (Method::POST, format!("{path}/transitions/{name}"), Value::Object(with))
            }
            Deed::Vote(name) => {
                let vote = say(json!({ "transition": name, "vote": "approve" }));
                (Method::POST, format!("{path}/votes"), vote)
            }
            Deed::Amend => (Method::PATCH, path, Value::Object(with)),
            Deed::Comment(text) => {
                let text = named(text, |name| self.numbers.get(name).cloned().unwrap_or_default());
                (Method::POST, format!("{path}/comments"), json!({ "text": text }))
            }
            Deed::Link(relation) => {
                (Method::POST, format!("{path}/links"), say(json!({ "relation": relation })))
            }
            Deed::Task(title) => {
                (Method::POST, format!("{path}/tasks"), say(json!({ "title": title })))
            }
            Deed::Finish => return self.finish(step, &path).await.map(|()| None),
            Deed::Fire { title, since } | Deed::Quiet { title, since } => {
                let is_over = matches!(step.deed, Deed::Quiet { .. });
                let alert = json!({
                    "status": if is_over { "resolved" } else { "firing" },
                    "labels": with,
                    "annotations": { "summary": title },
                    "startsAt": since,
                    "endsAt": if is_over { json!(step.at) } else { json!("0001-01-01T00:00:00Z") },
                    "fingerprint": step.life,
                });
                let body = json!({ "version": "4", "status": alert["status"], "alerts": [alert] });
                (Method::POST, "intake/alertmanager".to_owned(), body)
            }
        };
        let caller = self.caller(&step.by).await?;
        let answer = caller.once(method, &path, &step.id, &body).await?;
        let opened =
            (step.deed == Deed::Open).then(|| answer["number"].as_str().map(str::to_owned));
        Ok(opened.flatten())
    }

    /// The step's fields with the numbers of what it names.
    fn filled(&self, step: &Step) -> anyhow::Result<Map<String, Value>> {
        let mut with = Value::Object(step.with.clone());
        self.fill(&mut with);
        match with {
            Value::Object(with) => Ok(with),
            _ => anyhow::bail!("a map stays one"),
        }
    }

    fn fill(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                *text = named(text, |name| self.numbers.get(name).cloned().unwrap_or_default());
            }
            Value::Array(list) => list.iter_mut().for_each(|one| self.fill(one)),
            Value::Object(map) => map.values_mut().for_each(|one| self.fill(one)),
            _ => {}
        }
    }

    /// The newest record that holds all of `wanted`.
    async fn find(&mut self, step: &Step, wanted: &Map<String, Value>) -> anyhow::Result<String> {
        let path = format!("{}?sort=-opened_at&limit={LOOKED_AT}", step.collection);
        let page = self.caller(&step.by).await?.get(&path).await?.json();
        let holds =
            |record: &&Value| wanted.iter().all(|(name, value)| record["data"][name] == *value);
        let found = page["items"].as_array().into_iter().flatten().find(holds);
        let number = found.and_then(|record| record["number"].as_str());
        Ok(number.with_context(|| format!("no record holds {wanted:?}"))?.to_owned())
    }

    /// Each open task is done.
    async fn finish(&mut self, step: &Step, path: &str) -> anyhow::Result<()> {
        let caller = self.caller(&step.by).await?;
        let tasks = caller.get(&format!("{path}/tasks")).await?.json();
        let open =
            tasks["items"].as_array().into_iter().flatten().filter(|task| task["done"] != true);
        for task in open {
            let body = json!({ "state": "done" }).to_string();
            let path = format!("{path}/tasks/{}", task["id"]);
            caller.send(Method::PATCH, &path, None, body).await?.good()?;
        }
        Ok(())
    }

    /// Who acts as this person, by a key of their own.
    async fn caller(&mut self, name: &str) -> anyhow::Result<&Caller> {
        if name == ADMINISTRATOR {
            return Ok(&self.administrator);
        }
        if !self.callers.contains_key(name) {
            let person =
                self.numbers.get(name).with_context(|| format!("{name} is not there yet"))?;
            let wish = json!({ "name": KEY, "person": person, "scopes": ["records:read", "records:write"] });
            let made = self.administrator.post("api-keys", &wish).await?.json();
            let secret = made["secret"].as_str().context("a new key shows its secret")?;
            let caller = Caller::new(&self.steward.url, secret);
            self.callers.insert(name.to_owned(), caller);
        }
        self.callers.get(name).context("it was made just now")
    }

    /// The keys of this run, and of runs that were broken off, let nobody in any more.
    async fn revoke(&self) -> anyhow::Result<()> {
        let keys = self.administrator.get("api-keys?limit=500&sort=-opened_at").await?.json();
        for key in keys["items"].as_array().into_iter().flatten() {
            if key["data"]["name"] == KEY && key["state"] == "active" {
                let number = key["number"].as_str().unwrap_or_default();
                let path = format!("api-keys/{number}/transitions/revoke");
                self.administrator.post(&path, &json!({})).await?;
            }
        }
        Ok(())
    }

    /// The password that everybody signs in with: made once, and kept for the owner of the folder.
    fn password(&self) -> anyhow::Result<String> {
        let file = self.folder.join(PASSWORD_FILE);
        if let Ok(kept) = fs::read_to_string(&file) {
            return Ok(kept);
        }
        let mut password = secret::fresh("")?;
        password.truncate(PASSWORD_CHARS);
        secret::keep(&file, &password)?;
        Ok(password)
    }
}
