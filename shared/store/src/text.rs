//! Text that both databases can store and index, whatever was sent.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// PostgreSQL refuses index rows over 2,704 bytes; a composite key needs room for its neighbours.
const INDEXABLE_BYTES: usize = 500;
const KEPT_BYTES: usize = 400;

/// Short text as it is; long text, or text with a NUL (which PostgreSQL cannot store), as its
/// beginning and its SHA-256, so that equal stays equal and different stays different.
pub(crate) fn indexable(text: &str) -> Cow<'_, str> {
    if text.len() <= INDEXABLE_BYTES && !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    let kept = &text[..text.floor_char_boundary(KEPT_BYTES)];
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    Cow::Owned(format!("{}~{digest}", kept.replace('\0', "")))
}

/// Text for people, without what PostgreSQL cannot store.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_is_kept_and_long_text_stays_distinct() {
        assert_eq!(indexable("mail"), "mail");
        let (one, other) = ("ä".repeat(400) + "1", "ä".repeat(400) + "2");
        assert!(indexable(&one).len() <= INDEXABLE_BYTES);
        assert_ne!(indexable(&one), indexable(&other));
        assert_ne!(indexable("a\0b"), indexable("ab"));
        assert!(!indexable("a\0b").contains('\0'));
    }
}
