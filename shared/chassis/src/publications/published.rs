//! What was published: versions, who stands on them, and what differs between them.

use axum::{
    Json, Router,
    extract::{Path, Query as Parameters, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use engine::Record;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Published;

use super::{
    difference::{changes, lines, merge},
    shelved::Shelved,
};
use crate::{
    Office,
    door::Door,
    office::time,
    problem::Problem,
    service::catalogue::{PROCESS, SCHEME},
};

pub(super) fn router(office: &Office) -> Router {
    let mut router = Router::new();
    let schemes = format!("services/{}/schemes", office.service);
    for (root, kind) in [("processes", PROCESS), (schemes.as_str(), SCHEME)] {
        let path = |rest: &str| format!("/api/v1/{root}/{{name}}/{rest}");
        let shelf = Kind { office: office.clone(), kind };
        let routes = Router::new()
            .route(&path("versions"), get(versions))
            .route(&path("versions/{version}"), get(text))
            .route(&path("difference"), get(compare))
            .route(&path("merge"), get(merged))
            .with_state(shelf);
        router = router.merge(routes);
    }
    router
}

/// What one kind of publications is served from.
#[derive(Clone)]
struct Kind {
    office: Office,
    kind: &'static str,
}

/// Every version, oldest first, with how many records stand on it.
async fn versions(
    State(shelf): State<Kind>,
    Path(name): Path<String>,
    _: Door,
) -> Result<Json<Value>, Problem> {
    let shelved = Shelved::of(&shelf.office, shelf.kind, &name).await?;
    let mut items = Vec::new();
    for published in shelved.versions() {
        let mut item = view(&shelved, published);
        if shelf.kind == PROCESS {
            let standing = shelf.office.store.standing_on(&name, published.version).await?;
            item["records"] = json!({ "open": standing.open, "closed": standing.closed });
        }
        items.push(item);
    }
    Ok(Json(json!({
        "items": items,
        "present": shelved.present.version,
        "shipped": shelved.present.shipped,
        "base": shelved.present.base,
    })))
}

/// The text of a version as it was published; `present`, `shipped` and `base` are numbers, too.
async fn text(
    State(shelf): State<Kind>,
    Path((name, version)): Path<(String, String)>,
    _: Door,
) -> Result<Response, Problem> {
    let shelved = Shelved::of(&shelf.office, shelf.kind, &name).await?;
    let published = shelved.named(&version)?;
    let content = published.publication.content.clone();
    let mut response = ([(header::CONTENT_TYPE, "application/yaml")], content).into_response();
    tag(&mut response, published);
    Ok(response)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Between {
    from: Option<String>,
    to: Option<String>,
}

/// What differs between two versions, from the shipped one to the present one unless others are named.
async fn compare(
    State(shelf): State<Kind>,
    Path(name): Path<String>,
    Parameters(between): Parameters<Between>,
    _: Door,
) -> Result<Json<Value>, Problem> {
    let shelved = Shelved::of(&shelf.office, shelf.kind, &name).await?;
    let named = |word: Option<String>, usual: &str| shelved.named(word.as_deref().unwrap_or(usual));
    Ok(Json(difference(named(between.from, "shipped")?, named(between.to, "present")?)))
}

/// The present version brought together with the one that ships now, from what they have in common.
async fn merged(
    State(shelf): State<Kind>,
    Path(name): Path<String>,
    _: Door,
) -> Result<Json<Value>, Problem> {
    let shelved = Shelved::of(&shelf.office, shelf.kind, &name).await?;
    let [base, local, upstream] = ["base", "present", "shipped"].map(|word| shelved.version(word));
    let (Some(base), Some(local), Some(upstream)) = (base, local, upstream) else {
        let detail = "Nothing of this name ships with the product.";
        return Err(Problem::new(StatusCode::CONFLICT, "not_shipped", detail));
    };
    let content = |published: &Published| published.publication.content.clone();
    let result = merge(&content(base), &content(local), &content(upstream));
    Ok(Json(json!({
        "base": base.version,
        "local": local.version,
        "upstream": upstream.version,
        "upstream_changes": changes(&content(base), &content(upstream)),
        "local_changes": changes(&content(base), &content(local)),
        "conflicts": result.conflicts,
        "text": result.text,
    })))
}

/// What one version says otherwise than another, by path and by line.
pub(super) fn difference(from: &Published, to: &Published) -> Value {
    let name = |published: &Published| format!("version {}", published.version);
    let (before, after) = (&from.publication.content, &to.publication.content);
    json!({
        "from": from.version,
        "to": to.version,
        "changes": changes(before, after),
        "text": lines((&name(from), before), (&name(to), after)),
    })
}

/// A version that is in force, with the record of its publication.
pub(super) fn answer(
    status: StatusCode,
    shelved: &Shelved,
    published: &Published,
    record: Option<&Record>,
) -> Response {
    let mut body = view(shelved, published);
    if let Some(record) = record {
        body["publication"] = record.number.clone().into();
    }
    let mut response = (status, Json(body)).into_response();
    tag(&mut response, published);
    response
}

fn tag(response: &mut Response, published: &Published) {
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", published.publication.digest)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
}

fn view(shelved: &Shelved, published: &Published) -> Value {
    let version = published.version;
    json!({
        "name": published.publication.name,
        "version": version,
        "digest": published.publication.digest,
        "origin": published.publication.origin,
        "published_at": time(published.published_at),
        "is_present": shelved.present.version == version,
        "ships": shelved.present.shipped == Some(version),
    })
}
