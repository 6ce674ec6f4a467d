//! An Ed25519 key pair, and how it is kept: hex, the private half for its owner alone.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

/// The private key's file in the data folder, when no other is configured.
pub const PRIVATE_KEY_FILE: &str = "identity.key";
/// The public key's file in the data folder, when no other is configured.
pub const PUBLIC_KEY_FILE: &str = "identity.pub";

/// A key file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("the key file `{}` cannot be used: {because}", path.display())]
pub struct RuinedKey {
    path: PathBuf,
    because: String,
}

/// What everybody may know: it verifies tokens and makes none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(pub(crate) Vec<u8>);

impl PublicKey {
    /// Reads a file of 64 hex digits.
    ///
    /// # Errors
    /// When it cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, RuinedKey> {
        let bytes = read_hex(path)?;
        if bytes.len() != 32 {
            return Err(ruined(path, "an Ed25519 public key has 32 bytes, as 64 hex digits"));
        }
        Ok(Self(bytes))
    }
}

/// The PKCS#8 bytes of the private key in `path`, made there if the file is not, with the public
/// half written beside it as `public`.
pub(super) fn private(path: &Path, public: &Path) -> Result<(Vec<u8>, PublicKey), RuinedKey> {
    kept(path, public).map(|(_, pkcs8, public)| (pkcs8, public))
}

/// The same, as what signs.
pub(crate) fn pair(path: &Path, public: &Path) -> Result<(Ed25519KeyPair, PublicKey), RuinedKey> {
    kept(path, public).map(|(pair, _, public)| (pair, public))
}

fn kept(path: &Path, public: &Path) -> Result<(Ed25519KeyPair, Vec<u8>, PublicKey), RuinedKey> {
    if !path.exists() {
        make(path)?;
    }
    let pkcs8 = read_hex(path)?;
    let pair = Ed25519KeyPair::from_pkcs8(&pkcs8)
        .map_err(|_| ruined(path, "it is no Ed25519 key in PKCS#8, as hex"))?;
    let public_key = PublicKey(pair.public_key().as_ref().to_vec());
    if PublicKey::read(public).ok().as_ref() != Some(&public_key) {
        fs::write(public, hex::encode(&public_key.0)).map_err(|error| ruined(public, error))?;
    }
    Ok((pair, pkcs8, public_key))
}

/// A key pair that lives in memory alone.
pub(super) fn fresh() -> Result<(Vec<u8>, PublicKey), aws_lc_rs::error::Unspecified> {
    let pair = Ed25519KeyPair::generate()?;
    let pkcs8 = pair.to_pkcs8()?.as_ref().to_vec();
    Ok((pkcs8, PublicKey(pair.public_key().as_ref().to_vec())))
}

fn make(path: &Path) -> Result<(), RuinedKey> {
    let (pkcs8, _) = fresh().map_err(|error| ruined(path, error))?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| ruined(path, error))?;
    }
    // Under another name first: a crash in between must not leave half a key.
    let draft = path.with_extension("new");
    let written = private_file(&draft)
        .and_then(|mut file| {
            file.write_all(hex::encode(pkcs8).as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, path));
    written.map_err(|error| ruined(path, error))
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn read_hex(path: &Path) -> Result<Vec<u8>, RuinedKey> {
    let text = fs::read_to_string(path).map_err(|error| ruined(path, error))?;
    hex::decode(text.trim()).map_err(|_| ruined(path, "it must hold hex digits alone"))
}

fn ruined(path: &Path, because: impl ToString) -> RuinedKey {
    RuinedKey { path: path.to_owned(), because: because.to_string() }
}
