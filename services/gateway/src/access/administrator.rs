//! The administrator's token: given by the operator, or made at the first start.

use std::{fs, io, path::Path};

use super::secret;

/// The environment variable that gives the token.
pub const TOKEN_VARIABLE: &str = "STEWARD_ADMIN_TOKEN";
/// The file in the data folder that keeps the token that was made.
pub const TOKEN_FILE: &str = "admin-token";
/// A shorter token could be guessed.
const TOKEN_CHARS: usize = 16;

/// The administrator's token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    /// This start made it, so the launcher says where it is.
    pub is_new: bool,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// The token itself, for whoever hands it to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The one that was `given`, else the one kept in `folder`, else a new one, kept there for its
    /// owner alone.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the token is so short that it could be guessed.
    pub fn open(given: Option<String>, folder: &Path) -> io::Result<Self> {
        let file = folder.join(TOKEN_FILE);
        // An empty variable is one that nobody set.
        let given = given.filter(|given| !given.trim().is_empty());
        let kept = || match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        };
        let Some(text) = given.map_or_else(kept, |given| Ok(Some(given)))? else {
            return Ok(Self { text: make(&file)?, is_new: true });
        };
        let text = text.trim().to_owned();
        if text.len() < TOKEN_CHARS || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let wish = format!(
                "the administrator's token must have at least {TOKEN_CHARS} characters, all of \
                 them printable ASCII without spaces (from {TOKEN_VARIABLE} or {})",
                file.display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, wish));
        }
        Ok(Self { text, is_new: false })
    }
}

fn make(file: &Path) -> io::Result<String> {
    let token = secret::fresh("stw_admin_").map_err(io::Error::other)?;
    secret::keep(file, &token)?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_kept_for_its_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = Token::open(None, folder.path()).expect("made");
        assert!(made.is_new && made.reveal().len() > 60);
        let again = Token::open(None, folder.path()).expect("read");
        assert_eq!((again.reveal(), again.is_new), (made.reveal(), false));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join(TOKEN_FILE)).expect("there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
        assert_eq!(format!("{made:?}"), "Token(…)");
    }

    #[test]
    fn a_given_token_goes_first_and_must_not_be_guessable() {
        let folder = tempfile::tempdir().expect("a folder");
        let given =
            Token::open(Some("0123456789abcdef\n".to_owned()), folder.path()).expect("sound");
        assert_eq!(given.reveal(), "0123456789abcdef");
        assert!(!folder.path().join(TOKEN_FILE).exists());
        assert!(Token::open(Some(" ".to_owned()), folder.path()).expect("made").is_new);
        for weak in ["short", "0123456789 abcdef", "0123456789abcdefä"] {
            let error = Token::open(Some(weak.to_owned()), folder.path()).expect_err(weak);
            assert!(error.to_string().contains(TOKEN_VARIABLE));
        }
    }
}
