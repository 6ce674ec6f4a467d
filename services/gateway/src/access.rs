//! Who may come in: persons, groups and API keys as records, and the administrator's token.

mod administrator;
mod authenticate;
mod caller;
mod failures;
mod keys;
mod roster;
pub mod secret;

pub use administrator::{TOKEN_FILE, TOKEN_VARIABLE, Token};
pub use authenticate::{Access, let_in};
pub use caller::Caller;
pub use failures::Failures;
pub use keys::router as keys;
