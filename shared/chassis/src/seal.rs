//! The service's own Ed25519 key: it signs what the journal was, and nothing else.

use std::{path::Path, sync::Arc};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use crate::identity::{PublicKey, RuinedKey, key};

/// What signs checkpoints. Cheap to clone.
#[derive(Clone)]
pub struct Seal(Arc<Ed25519KeyPair>);

impl Seal {
    /// The key pair in `private`, made there at the first start; the public half is kept in `public`
    /// for whoever verifies.
    ///
    /// # Errors
    /// When a file cannot be read, written or understood.
    pub fn open(private: &Path, public: &Path) -> Result<Self, RuinedKey> {
        let (pair, _) = key::pair(private, public)?;
        Ok(Self(Arc::new(pair)))
    }

    #[must_use]
    pub fn sign(&self, statement: &[u8]) -> Vec<u8> {
        self.0.sign(statement).as_ref().to_vec()
    }

    /// Whether this very key signed the statement.
    pub(crate) fn has_signed(&self, statement: &[u8], signature: &[u8]) -> bool {
        // The same key signs the same twice (RFC 8032, 5.1.6).
        self.sign(statement) == signature
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl PublicKey {
    /// Whether the owner of the private half signed the statement.
    #[must_use]
    pub fn has_signed(&self, statement: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(statement, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_key_signs_no_other_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let seal = Seal::open(&file("a.key"), &file("a.pub")).unwrap();
        let other = Seal::open(&file("b.key"), &file("b.pub")).unwrap();
        let signature = seal.sign(b"so it was");
        assert!(seal.has_signed(b"so it was", &signature));
        assert!(!other.has_signed(b"so it was", &signature));
        let public = |name: &str| PublicKey::read(&file(name)).unwrap();
        assert!(public("a.pub").has_signed(b"so it was", &signature));
        assert!(!public("a.pub").has_signed(b"so it was not", &signature));
        assert!(!public("b.pub").has_signed(b"so it was", &signature));
        // The next start has the same key.
        let again = Seal::open(&file("a.key"), &file("a.pub")).unwrap();
        assert!(public("a.pub").has_signed(b"so it was", &again.sign(b"so it was")));
    }
}
