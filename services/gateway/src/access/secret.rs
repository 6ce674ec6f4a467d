//! Secrets that callers carry: how they are made, and the digest that is all we keep.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

/// The SHA-256 of a secret. Comparing digests says nothing of the secret by the time it takes.
pub type Digest = [u8; 32];

/// A new secret of 256 random bits, as hexadecimal digits after `prefix`.
///
/// # Errors
/// When the system gives no randomness.
pub fn fresh(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits)?;
    Ok(format!("{prefix}{}", hex::encode(bits)))
}

/// Keeps a secret in a file that only its owner reads.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(file: &Path, secret: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    // Under another name first: a crash in between must not leave half a secret.
    let draft = file.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&draft)?;
    written.write_all(secret.as_bytes())?;
    written.sync_all()?;
    fs::rename(draft, file)
}

/// What is kept of a secret.
#[must_use]
pub fn digest(secret: &str) -> Digest {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether two digests are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(one: &Digest, other: &Digest) -> bool {
    one.iter().zip(other).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_their_digests_too() {
        let (one, other) = (fresh("stw_").expect("random"), fresh("stw_").expect("random"));
        assert_ne!(one, other);
        assert!(same(&digest(&one), &digest(&one)) && !same(&digest(&one), &digest(&other)));
        assert_eq!((one.len(), &one[..4]), (68, "stw_"));
    }
}
