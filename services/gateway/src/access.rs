//! Who may come in: persons, groups, API keys, sessions, passwords and one-time links as records, and the
//! administrator's token.

mod administrator;
mod authenticate;
mod caller;
mod credential;
mod failures;
mod keys;
mod let_in;
mod link;
mod password;
mod roster;
pub mod secret;
mod session;
mod ticket;

pub use administrator::{TOKEN_FILE, TOKEN_VARIABLE, Token};
pub use authenticate::Access;
pub use caller::Caller;
pub use credential::CSRF_HEADER;
pub use failures::Failures;
pub use keys::router as keys;
pub use let_in::let_in;
pub use link::router as links;
pub use password::router as passwords;
pub(crate) use roster::{Roster, data};
pub use session::Desk;
pub use ticket::Tickets;
