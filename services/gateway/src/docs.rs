//! A page to read the API with: it asks for a token, because the document needs a caller.
//!
//! The page and its assets hold nothing of the organisation and are open; what they show is fetched
//! with the token that the reader types, as every other request is.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use chassis::Problem;
use http::{HeaderMap, HeaderValue, header};
use utoipa_swagger_ui::Config;

/// Scripts and styles come from here alone, and requests go nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// `/api/v1/docs/` and what belongs to it.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/api/v1/docs", get(async || Redirect::permanent("/api/v1/docs/")))
        .route(
            "/api/v1/docs/",
            get(async || page("text/html; charset=utf-8", include_str!("docs/index.html"))),
        )
        .route("/api/v1/docs/{file}", get(file))
}

/// The JSON Schema of process definitions, by which editors complete and check what people write.
pub async fn definition_schema() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/schema+json")];
    (kind, engine::FORMAT_SCHEMA).into_response()
}

async fn file(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "page.js" => page("text/javascript; charset=utf-8", include_str!("docs/page.js")),
        "page.css" => page("text/css; charset=utf-8", include_str!("docs/page.css")),
        "swagger-ui-bundle.js" | "swagger-ui.css" => vendored(&name),
        _ => Problem::unknown().into_response(),
    }
}

fn page(kind: &'static str, text: &'static str) -> Response {
    (headers(kind), text).into_response()
}

fn vendored(name: &str) -> Response {
    match utoipa_swagger_ui::serve(name, Arc::new(Config::from("../openapi.json"))) {
        Ok(Some(file)) => {
            let mut headers = headers(&file.content_type);
            if file.gzpipped {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            (headers, file.bytes.into_owned()).into_response()
        }
        Ok(None) | Err(_) => Problem::unknown().into_response(),
    }
}

fn headers(kind: &str) -> HeaderMap {
    let kind = HeaderValue::from_str(kind)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600")),
    ])
}
