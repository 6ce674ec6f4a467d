//! The web console: the files that npm built, or a page that says why there are none.
//!
//! They hold nothing of the organisation and are open; what they show is fetched with the session of
//! whoever looks at it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Router,
    extract::{Path as PathOf, State},
    response::{IntoResponse, Response},
    routing::get,
};
use chassis::Problem;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Scripts, styles, fonts and requests come from and go to here alone; nothing stands inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
                      img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// What stands in place of the console, with the reason.
const ABSENT: &str = include_str!("console/absent.html");
/// What the build writes beside each file, the smallest first.
const PACKED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The built files, and what is said while there are none. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Console {
    folder: Option<Arc<PathBuf>>,
    absent_because: Arc<RwLock<String>>,
}

impl Console {
    /// Serves what is in `folder`, whenever it is there; none serves nothing.
    #[must_use]
    pub fn at(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.map(Arc::new), absent_because: Arc::default() }
    }

    /// What the page says for as long as the console is not there.
    pub fn say(&self, sentence: String) {
        *self.absent_because.write().unwrap_or_else(PoisonError::into_inner) = sentence;
    }

    /// `/assets/…` as built, and the console's one page under every other path.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/assets/{file}", get(asset))
            .route("/", get(page))
            .route("/{*place}", get(page))
            .with_state(self.clone())
    }

    /// The file as the browser takes it best: its bytes, and how they are packed.
    async fn read(&self, name: &str, accepted: &str) -> Option<(Vec<u8>, Option<&'static str>)> {
        let file = self.folder.as_deref()?.join(name);
        for (coding, suffix) in PACKED {
            let taken = accepted.split(',').any(|taken| {
                let mut parts = taken.split(';').map(str::trim);
                parts.next() == Some(coding) && parts.next() != Some("q=0")
            });
            if taken && let Ok(bytes) = tokio::fs::read(with_suffix(&file, suffix)).await {
                return Some((bytes, Some(coding)));
            }
        }
        tokio::fs::read(file).await.ok().map(|bytes| (bytes, None))
    }

    async fn answer(&self, name: &str, asked: &HeaderMap, kept: &'static str) -> Option<Response> {
        let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let (bytes, coding) = self.read(name, accepted.unwrap_or_default()).await?;
        let mut headers = headers(kind_of(name), kept);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        Some((headers, bytes).into_response())
    }

    fn absent(&self) -> Response {
        let because = self.absent_because.read().unwrap_or_else(PoisonError::into_inner).clone();
        let because = if because.is_empty() { "It was not built.".to_owned() } else { because };
        let page = ABSENT.replace("{because}", &escaped(&because));
        let headers = headers("text/html; charset=utf-8", "no-store");
        (headers, page).into_response()
    }
}

/// A built file: its name holds a hash of its content, so that it never changes.
async fn asset(
    State(console): State<Console>,
    PathOf(name): PathOf<String>,
    asked: HeaderMap,
) -> Response {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.bytes().all(is_name) || name.starts_with('.') {
        return Problem::unknown().into_response();
    }
    let found = console
        .answer(&format!("assets/{name}"), &asked, "public, max-age=31536000, immutable")
        .await;
    found.unwrap_or_else(|| Problem::unknown().into_response())
}

/// The page of every place in the console; it asks where it is itself.
async fn page(State(console): State<Console>, asked: HeaderMap) -> Response {
    if asked.get(header::ACCEPT).is_some_and(|kinds| !takes_html(kinds)) {
        return Problem::unknown().into_response();
    }
    match console.answer("index.html", &asked, "no-cache").await {
        Some(page) => page,
        None => console.absent(),
    }
}

fn takes_html(kinds: &HeaderValue) -> bool {
    kinds.to_str().is_ok_and(|kinds| kinds.contains("text/html") || kinds.contains("*/*"))
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn headers(kind: &'static str, kept: &'static str) -> HeaderMap {
    let entry = |name: HeaderName, value| (name, HeaderValue::from_static(value));
    HeaderMap::from_iter([
        entry(header::CONTENT_TYPE, kind),
        entry(header::CACHE_CONTROL, kept),
        entry(header::CONTENT_SECURITY_POLICY, POLICY),
        entry(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        entry(header::REFERRER_POLICY, "no-referrer"),
        entry(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
