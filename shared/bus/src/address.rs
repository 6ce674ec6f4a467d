//! Where the bus is and how one gets in: NATS URLs whose credentials are never printed.

use std::{fmt, str::FromStr};

use serde::Deserialize;

/// One or more NATS URLs, separated by commas: `nats://user:password@host:4222`.
///
/// Neither `Debug` nor `Display` shows what stands before the `@`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(Vec<String>);

/// What is wrong with an address, without the address, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAddress {
    #[error("the NATS address is empty; it looks like nats://host:4222")]
    Empty,
    #[error("the NATS address has the scheme of something else; use nats:// or tls://")]
    Scheme,
}

/// What stands before the `@`: a user and password, or a token alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    User { name: String, password: String },
    Token(String),
}

impl Address {
    /// The URLs with their credentials, for those who must hand them on.
    #[must_use]
    pub fn expose(&self) -> String {
        self.0.join(",")
    }

    /// The URLs without credentials.
    pub(crate) fn bare(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|url| {
                let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                format!("{scheme}://{host}")
            })
            .collect()
    }

    /// The credentials of the first URL that has some; they are used for all.
    #[must_use]
    pub fn login(&self) -> Option<Login> {
        let before = self.0.iter().find_map(|url| {
            let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            rest.rsplit_once('@').map(|(before, _)| before)
        })?;
        Some(match before.split_once(':') {
            Some((name, password)) => {
                Login::User { name: decoded(name), password: decoded(password) }
            }
            None => Login::Token(decoded(before)),
        })
    }
}

/// `%40` is `@`: in a URL a password may hold what would else end it.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

impl FromStr for Address {
    type Err = MalformedAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let urls: Vec<String> = text
            .split(',')
            .map(str::trim)
            .filter(|url| !url.is_empty())
            .map(str::to_owned)
            .collect();
        if urls.is_empty() {
            return Err(MalformedAddress::Empty);
        }
        let is_ours = |url: &String| match url.split_once("://") {
            Some((scheme, _)) => matches!(scheme, "nats" | "tls"),
            None => true,
        };
        if urls.iter().all(is_ours) { Ok(Self(urls)) } else { Err(MalformedAddress::Scheme) }
    }
}

impl TryFrom<String> for Address {
    type Error = MalformedAddress;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bare().join(","))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_prints_its_password() {
        let address: Address = "nats://ada:secret@a:4222, tls://b".parse().unwrap();
        assert_eq!(address.to_string(), "nats://a:4222,tls://b");
        assert_eq!(format!("{address:?}"), "Address(nats://a:4222,tls://b)");
        assert_eq!(address.expose(), "nats://ada:secret@a:4222,tls://b");
        let login = Login::User { name: "ada".to_owned(), password: "secret".to_owned() };
        assert!(address.login() == Some(login));
    }

    #[test]
    fn a_password_may_hold_what_a_url_may_not() {
        let address: Address = "nats://ada:p%40ss%2g@a:4222".parse().unwrap();
        let login = Login::User { name: "ada".to_owned(), password: "p@ss%2g".to_owned() };
        assert!(address.login() == Some(login));
        let token: Address = "nats://t0ken@a".parse().unwrap();
        assert!(token.login() == Some(Login::Token("t0ken".to_owned())));
        assert!("nats://a".parse::<Address>().unwrap().login().is_none());
    }

    #[test]
    fn an_address_of_something_else_is_refused() {
        assert_eq!("http://a".parse::<Address>(), Err(MalformedAddress::Scheme));
        assert_eq!(" , ".parse::<Address>(), Err(MalformedAddress::Empty));
    }
}
