//! The only door from outside: who may come in, where a request goes, what monitoring tools say,
//! and what happens live.
//!
//! [`service`] is the table of contents of the access database; [`Gateway::start`] opens the door.

pub mod access;
mod body;
mod chain;
pub mod console;
mod docs;
mod gateway;
pub mod intake;
pub mod live;
pub mod notify;
pub mod openapi;
pub mod routing;

use chassis::Service;

pub use console::Console;
pub use gateway::{Gateway, Surroundings};

/// The name under which the access database is a service like any other.
pub const OWN_SERVICE: &str = "gateway";

/// The definitions of the access database: name of the file and its text.
pub const DEFINITIONS: [(&str, &str); 8] = [
    ("api_key.v1.yaml", include_str!("../processes/api_key.v1.yaml")),
    ("group.v1.yaml", include_str!("../processes/group.v1.yaml")),
    ("notification.v1.yaml", include_str!("../processes/notification.v1.yaml")),
    ("password.v1.yaml", include_str!("../processes/password.v1.yaml")),
    ("person.v1.yaml", include_str!("../processes/person.v1.yaml")),
    ("session.v1.yaml", include_str!("../processes/session.v1.yaml")),
    ("sign_in_link.v1.yaml", include_str!("../processes/sign_in_link.v1.yaml")),
    ("view.v1.yaml", include_str!("../processes/view.v1.yaml")),
];

/// The table of contents of the access database: persons, groups, API keys, passwords, sessions,
/// one-time links, the views that people saved, and who was told of what.
#[must_use]
pub fn service() -> Service {
    Service::named(OWN_SERVICE)
        .processes(DEFINITIONS)
        .opens_itself("api_key")
        .opens_itself("notification")
        .opens_itself("password")
        .opens_itself("session")
        .opens_itself("sign_in_link")
        .routes(&[], serde_json::json!({}), access::keys)
        .routes(&[], serde_json::json!({}), access::passwords)
        .routes(&[], serde_json::json!({}), access::links)
}
