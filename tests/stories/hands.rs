//! What people of a story do with records of any process.

use acceptance::{Answer, Door, Platform};
use serde_json::{Value, json};

/// A person of a story, with the number that records name them by.
pub struct Hand {
    pub door: Door,
    pub number: String,
}

impl Hand {
    pub async fn of(platform: &Platform, name: &str, roles: &[&str]) -> Self {
        let door = platform.person(name, roles).await;
        let number = crate::promises::number_of(platform, name).await;
        Self { door, number: number.as_str().expect("a number").to_owned() }
    }

    /// Opens a record; answers its path under `/api/v1`.
    pub async fn open(&self, collection: &str, data: Value) -> String {
        let record = self.door.post(&format!("/api/v1/{collection}"), &data).await.good();
        path(collection, &record)
    }

    pub async fn try_take(&self, path: &str, transition: &str, with: Value) -> Answer {
        self.door.post(&format!("{path}/transitions/{transition}"), &with).await
    }

    pub async fn take(&self, path: &str, transition: &str, with: Value) -> Value {
        self.try_take(path, transition, with).await.good()
    }

    /// A transition that is refused with a status.
    pub async fn refused(&self, path: &str, transition: &str, with: Value, status: u16) {
        let answer = self.try_take(path, transition, with).await;
        assert_eq!(answer.status.as_u16(), status, "{transition}: {}", answer.body);
    }

    /// Changes fields of a record.
    pub async fn amend(&self, path: &str, patch: Value) -> Value {
        self.door.patch(path, &patch).await.good()
    }

    /// A field of a record.
    pub async fn field(&self, path: &str, name: &str) -> Value {
        self.read(path).await["data"][name].clone()
    }

    pub async fn try_vote(&self, path: &str, transition: &str) -> Answer {
        let vote = json!({ "transition": transition, "vote": "approve" });
        self.door.post(&format!("{path}/votes"), &vote).await
    }

    pub async fn vote(&self, path: &str, transition: &str) -> Value {
        self.try_vote(path, transition).await.good()
    }

    pub async fn read(&self, path: &str) -> Value {
        self.door.get(path).await.good()
    }

    pub async fn state(&self, path: &str) -> String {
        self.read(path).await["state"].as_str().expect("a state").to_owned()
    }

    /// The paths of the records of a collection whose data holds these, oldest first.
    pub async fn find(&self, collection: &str, data: Value) -> Vec<String> {
        let mut found = self.door.all(&format!("/api/v1/{collection}"), "?sort=number").await;
        let wanted = data.as_object().expect("fields").clone();
        found.retain(|record| wanted.iter().all(|(name, value)| record["data"][name] == *value));
        found.iter().map(|record| path(collection, record)).collect()
    }

    /// Relation and number of everything that a record is tied to.
    pub async fn ties(&self, path: &str) -> Vec<(String, String)> {
        let links = self.door.get(&format!("{path}/links")).await.good();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let links = links["items"].as_array().expect("links").iter();
        links.map(|link| (text(&link["relation"]), text(&link["to"]["number"]))).collect()
    }
}

fn path(collection: &str, record: &Value) -> String {
    format!("/api/v1/{collection}/{}", record["number"].as_str().expect("a number"))
}

/// `CHG0000001` of a path.
pub fn number(path: &str) -> &str {
    path.rsplit('/').next().expect("a number")
}

/// An emergency change that both members of the ECAB authorise, scheduled.
pub async fn authorised_at_once(platform: &Platform, manager: &Hand, change: Value) -> String {
    let change = manager.open("changes", change).await;
    manager.take(&change, "call_ecab", json!({})).await;
    ecab_authorises(platform, &change).await;
    manager.take(&change, "schedule", json!({})).await;
    change
}

/// The voices of both members of the ECAB.
pub async fn ecab_authorises(platform: &Platform, change: &str) {
    for name in ["Eve", "Ede"] {
        let member = Hand::of(platform, name, &["ecab_member"]).await;
        member.vote(change, "authorise_emergency").await;
    }
}
