//! The hash chains that make the journal and the refusals tamper-evident.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A SHA-256.
pub(crate) type Hash = [u8; 32];
/// What goes before the payload, so that its digest tells nothing once the payload is erased.
pub(crate) type Salt = [u8; 16];

/// Before the first link of every chain.
pub(crate) const ORIGIN: Hash = [0; 32];

pub(crate) fn digest_of(salt: &[u8], payload: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(payload).finalize().into()
}

/// The link of one journal row to the row before it of the same record.
pub(crate) fn link_of(
    previous: &[u8],
    record: Uuid,
    revision: u64,
    event_type: &str,
    actor: &str,
    at: DateTime<Utc>,
    digest: &[u8],
) -> Hash {
    Linked::after(previous)
        .fixed(record.as_bytes())
        .number(revision)
        .text(event_type)
        .text(actor)
        .number(at.timestamp_micros().cast_unsigned())
        .fixed(digest)
        .finish()
}

/// A link in the making. Texts go in with their length, so that no two rows hash alike.
pub(crate) struct Linked(Sha256);

impl Linked {
    pub(crate) fn after(previous: &[u8]) -> Self {
        Self(Sha256::new_with_prefix(previous))
    }

    pub(crate) fn fixed(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.fixed(&number.to_be_bytes())
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.number(text.len() as u64).fixed(text.as_bytes())
    }

    pub(crate) fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}

/// Random salts, fetched from the system some hundreds at a time.
#[derive(Default)]
pub(crate) struct Salts {
    bytes: Vec<u8>,
}

/// Salts of one fetch.
const FETCHED: usize = 256;

impl Salts {
    pub(crate) fn another(&mut self) -> Result<Salt, sqlx::Error> {
        let mut salt = Salt::default();
        if self.bytes.len() < salt.len() {
            self.bytes.resize(FETCHED * salt.len(), 0);
            let filled = getrandom::fill(&mut self.bytes);
            filled.map_err(|fault| sqlx::Error::Io(std::io::Error::other(fault.to_string())))?;
        }
        let rest = self.bytes.len() - salt.len();
        salt.copy_from_slice(&self.bytes[rest..]);
        self.bytes.truncate(rest);
        Ok(salt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(actor: &str, event: &str) -> Hash {
        link_of(&ORIGIN, Uuid::nil(), 1, event, actor, DateTime::UNIX_EPOCH, &ORIGIN)
    }

    #[test]
    fn moving_a_letter_between_neighbours_changes_the_link() {
        assert_ne!(link("ab", "c"), link("b", "ca"));
        assert_eq!(link("ab", "c"), link("ab", "c"));
    }
}
