//! A value that must not be shown: an address with its password.

use std::fmt;

use serde::Deserialize;

/// Keys that may also be given as `{key}_file`, a file that holds the value.
pub(super) const KEYS: [&str; 3] = ["database.url", "bus.url", "notify.smtp_url"];

/// Text whose `Debug` prints nothing.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The value itself; only for handing it to what needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The content of a secret's file, without the line end that editors add.
pub(super) fn read(path: String) -> Result<String, String> {
    std::fs::read_to_string(&path)
        .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
        .map_err(|error| format!("`{path}` cannot be read: {error}"))
}
