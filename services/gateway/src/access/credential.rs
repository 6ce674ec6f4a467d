//! What a request shows for itself: a token, or the cookie of a session.

use chassis::Problem;
use http::{HeaderMap, header};

use super::secret::{self, Digest};

/// The cookie of a session on a loopback address, where there is no TLS.
const PLAIN_COOKIE: &str = "steward-session";
/// Everywhere else: browsers take this name only with TLS, for this host alone and all of its paths
/// (RFC 6265bis, 4.1.3.2).
const SECURE_COOKIE: &str = "__Host-steward-session";
/// The header in which the console says what no other site can know.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// The digest of a secret, and what the secret is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credential {
    pub kind: Kind,
    pub digest: Digest,
}

/// Another kind of credential is another variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The administrator's token or an API key, as `Authorization: Bearer`.
    Secret,
    /// A session of the console, as a cookie.
    Session,
}

impl Credential {
    /// What the headers show; a token goes before a cookie.
    ///
    /// # Errors
    /// 401 when there is neither, or an `Authorization` that is none of ours.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(given) = headers.get(header::AUTHORIZATION) else {
            let secret = session_secret(headers).ok_or_else(|| {
                Problem::unauthenticated("Send `Authorization: Bearer` and a token, or sign in.")
            })?;
            return Ok(Self { kind: Kind::Session, digest: secret::digest(secret) });
        };
        let bearer = given.to_str().ok().and_then(|text| text.split_once(' '));
        match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(Self { kind: Kind::Secret, digest: secret::digest(token.trim()) })
            }
            _ => Err(Problem::unauthenticated(
                "The header `Authorization` must be `Bearer` and a token.",
            )),
        }
    }
}

/// Refuses what another site may have made a browser send. A cookie comes along with whatever a
/// browser sends here; the token in [`CSRF_HEADER`] is known only to who read our answer.
///
/// # Errors
/// 403 `csrf`.
pub fn was_meant(headers: &HeaderMap) -> Result<(), Problem> {
    comes_from_here(headers)?;
    let expected = session_secret(headers).map(csrf_token).map(|token| secret::digest(&token));
    let given = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).map(secret::digest);
    match (expected, given) {
        (Some(expected), Some(given)) if secret::same(&expected, &given) => Ok(()),
        _ => Err(Problem::forbidden(
            "csrf",
            format!(
                "A session's changes need the header `{CSRF_HEADER}` of `GET /api/v1/session`."
            ),
        )),
    }
}

/// Refuses a request that a page of elsewhere made (RFC 6454: its `Origin` is not this host).
///
/// # Errors
/// 403 `csrf`.
pub fn comes_from_here(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let host_of = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    let origin = origin.to_str().ok().and_then(host_of);
    match (origin, host(headers)) {
        (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(Problem::forbidden("csrf", "Another site asked for this.")),
    }
}

/// The token that goes with a session: worked out from its secret, so that nothing more is kept.
#[must_use]
pub fn csrf_token(secret: &str) -> String {
    hex::encode(secret::digest(&format!("csrf of {secret}")))
}

/// The secret in the session's cookie.
#[must_use]
pub fn session_secret(headers: &HeaderMap) -> Option<&str> {
    let name = if is_loopback(headers) { PLAIN_COOKIE } else { SECURE_COOKIE };
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(cookie, secret)| (cookie == name).then_some(secret))
}

/// The header `Set-Cookie` that begins a session; an empty secret and no seconds end it. No script
/// reads the cookie, no other site's request carries it, and only TLS does, except on this machine.
#[must_use]
pub fn cookie(headers: &HeaderMap, secret: &str, seconds: i64) -> String {
    let (name, secure) =
        if is_loopback(headers) { (PLAIN_COOKIE, "") } else { (SECURE_COOKIE, "; Secure") };
    format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}

/// Whether the browser was asked for an address of this machine.
fn is_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else { return false };
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).expect("a header");
        pairs.iter().map(|(name, text)| ((*name).parse().expect("a name"), value(text))).collect()
    }

    #[test]
    fn a_token_goes_before_a_cookie_and_neither_is_the_other() {
        let cookie = ("cookie", "a=b; steward-session=s1; c=d");
        let host = ("host", "127.0.0.1:8080");
        let session = Credential::of(&headers(&[host, cookie])).unwrap_or_else(|_| panic!());
        assert_eq!((session.kind, session.digest), (Kind::Session, secret::digest("s1")));
        let both = headers(&[host, cookie, ("authorization", "bearer t1")]);
        let token = Credential::of(&both).unwrap_or_else(|_| panic!());
        assert_eq!((token.kind, token.digest), (Kind::Secret, secret::digest("t1")));
        assert!(Credential::of(&headers(&[host])).is_err());
    }

    #[test]
    fn beyond_this_machine_a_cookie_needs_tls() {
        for host in ["localhost:8080", "127.0.0.1", "[::1]:8080"] {
            let here = headers(&[("host", host), ("cookie", "steward-session=s")]);
            assert_eq!(session_secret(&here), Some("s"), "{host}");
            assert!(!cookie(&here, "s", 60).contains("Secure"), "{host}");
        }
        for host in ["desk.example.org", "localhost.example.org", "10.0.0.1:8080"] {
            let there = headers(&[("host", host), ("cookie", "steward-session=s")]);
            assert_eq!(session_secret(&there), None, "{host}");
            let made = cookie(&there, "s", 60);
            assert!(made.starts_with("__Host-") && made.ends_with("; Secure"), "{made}");
            assert!(made.contains("HttpOnly; SameSite=Strict"), "{made}");
        }
    }

    #[test]
    fn another_site_cannot_ask_in_a_sessions_name() {
        let token = csrf_token("s");
        let ask = |origin: Option<&str>, token: Option<&str>| {
            let mut pairs = vec![("host", "localhost:1"), ("cookie", "steward-session=s")];
            pairs.extend(origin.map(|origin| ("origin", origin)));
            pairs.extend(token.map(|token| (CSRF_HEADER, token)));
            was_meant(&headers(&pairs)).is_ok()
        };
        assert!(ask(None, Some(&token)) && ask(Some("http://localhost:1"), Some(&token)));
        assert!(!ask(Some("http://localhost:2"), Some(&token)));
        assert!(!ask(Some("null"), Some(&token)));
        assert!(!ask(None, None) && !ask(None, Some("guess")));
    }
}
