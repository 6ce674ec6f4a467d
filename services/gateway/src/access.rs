//! Who may come in: persons, groups and API keys as records, and the administrator's token.

mod administrator;
mod caller;
mod failures;
pub mod secret;

pub use administrator::{TOKEN_FILE, TOKEN_VARIABLE, Token};
pub use caller::Caller;
pub use failures::Failures;
