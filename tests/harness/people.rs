//! Who works with the platform: persons with roles, and programs with keys, made as an
//! administrator makes them.

use serde_json::{Value, json};

use crate::Door;

/// What an administrator does.
impl Door {
    /// A person with these roles, through a key of their own.
    pub async fn person(&self, name: &str, roles: &[&str]) -> Door {
        let person = json!({ "name": name, "roles": roles });
        let person = self.post("/api/v1/persons", &person).await.good();
        self.key(json!({
            "name": name,
            "scopes": ["records:read", "records:write"],
            "person": person["number"],
        }))
        .await
    }

    /// A monitoring tool: it may send alerts and nothing else.
    pub async fn monitor(&self, name: &str) -> Door {
        self.key(json!({ "name": name, "scopes": ["alerts:write"] })).await
    }

    /// A group of persons; answers its number.
    pub async fn group(&self, name: &str) -> String {
        let group = self.post("/api/v1/groups", &json!({ "name": name })).await.good();
        group["number"].as_str().expect("a record has a number").to_owned()
    }

    /// The door of whoever holds a new key.
    pub async fn key(&self, wanted: Value) -> Door {
        let made = self.post("/api/v1/api-keys", &wanted).await.good();
        self.with_token(made["secret"].as_str().expect("a new key shows its secret"))
    }

    /// Moves the clock and waits until all that is due by then has happened. `span` is ISO 8601.
    pub async fn pass(&self, span: &str) {
        let _ = self.post("/api/v1/clock", &json!({ "advance": span })).await.good();
    }
}
