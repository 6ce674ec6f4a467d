//! Who does something: a person, an API key, or the system itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Who acts. Made at the door from a verified identity, or [`Actor::system`] for timers and reactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `person:PER0000001`, `key:KEY0000003` or `system:incident`.
    pub id: String,
    /// How people call them; shown in histories.
    pub name: String,
    /// Roles that hold everywhere, as definitions name them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
    /// Numbers of the groups that the actor belongs to (`GRP0000002`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
}

/// The role that timers and reactions act in.
pub const SYSTEM: &str = "system";
/// The role that may see and administer everything.
pub const ADMINISTRATOR: &str = "administrator";

impl Actor {
    /// The service itself, when a timer fires or an event arrives.
    #[must_use]
    pub fn system(service: &str) -> Self {
        Self {
            id: format!("system:{service}"),
            name: service.to_owned(),
            roles: BTreeSet::from([SYSTEM.to_owned()]),
            groups: BTreeSet::new(),
        }
    }

    #[must_use]
    pub fn is_system(&self) -> bool {
        self.roles.contains(SYSTEM)
    }

    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// What this actor may read.
    #[must_use]
    pub fn reader(&self) -> Reader {
        if self.is_system() || self.has_role(ADMINISTRATOR) {
            return Reader::Everything;
        }
        let mut tokens = vec![self.id.clone()];
        tokens.extend(self.roles.iter().map(|role| format!("role:{role}")));
        tokens.extend(self.groups.iter().map(|group| format!("group:{group}")));
        Reader::Tokens(tokens)
    }
}

/// The proof that a query was narrowed to what its caller may see: a record is visible when its
/// audience and the reader's tokens meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The system and administrators.
    Everything,
    /// `role:agent`, `group:GRP0000001`, `person:PER0000001`, `customer:…`, `supplier:…`.
    Tokens(Vec<String>),
}

impl Reader {
    #[must_use]
    pub fn sees(&self, audience: &[String]) -> bool {
        match self {
            Self::Everything => true,
            Self::Tokens(tokens) => audience.iter().any(|token| tokens.contains(token)),
        }
    }
}
