//! Lists over all services: each is asked for its part, and the parts are laid together.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Extension, Query, State},
    response::{IntoResponse, Response},
};
use chassis::Problem;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::switch::Switch;
use crate::access::Caller;

/// A page of duties, unless asked otherwise; services refuse what is beyond their bounds.
const PAGE: usize = 50;

#[derive(Deserialize)]
struct Listed {
    items: Vec<Value>,
    #[serde(default)]
    next: Option<String>,
}

/// The processes of all services, called in the caller's language, and which services did not answer.
pub async fn processes(
    State(switch): State<Switch>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parts = ask_all(&switch, &caller, &headers, |_| "/api/v1/processes".to_owned()).await?;
    let Parts { listed, unreachable, .. } = parts;
    let items: Vec<Value> = listed.into_iter().flat_map(|part| part.items).collect();
    Ok(Json(json!({ "items": items, "unreachable": unreachable })).into_response())
}

/// What a caller may say of the page; services read it all themselves.
#[derive(Deserialize)]
pub struct Paged {
    limit: Option<usize>,
}

/// What records of all services owe, the first due first, and which services did not answer.
pub async fn duties(
    State(switch): State<Switch>,
    Extension(caller): Extension<Arc<Caller>>,
    Query(paged): Query<Paged>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = |service: &str| format!("/api/v1/services/{service}/duties{asked}");
    let Parts { listed, unreachable, refused } = ask_all(&switch, &caller, &headers, path).await?;
    if let Some(refused) = refused {
        return Ok(refused);
    }
    let mut has_more = listed.iter().any(|part| part.next.is_some());
    let mut items: Vec<Value> = listed.into_iter().flat_map(|part| part.items).collect();
    let key = |item: &Value| [item["due_at"].to_string(), item["record"]["id"].to_string()];
    items.sort_by_cached_key(key);
    let limit = paged.limit.unwrap_or(PAGE);
    has_more |= items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| has_more).map(|item| item["cursor"].clone());
    let body = json!({ "items": items, "next": next, "unreachable": unreachable });
    Ok(Json(body).into_response())
}

/// The parts of a list.
#[derive(Default)]
struct Parts {
    listed: Vec<Listed>,
    /// Services that did not answer; their part is missing.
    unreachable: Vec<String>,
    /// What the first service said that could not read the request.
    refused: Option<Response>,
}

async fn ask_all(
    switch: &Switch,
    caller: &Caller,
    headers: &HeaderMap,
    path: impl Fn(&str) -> String,
) -> Result<Parts, Problem> {
    caller.may_use(&Method::GET)?;
    let token = switch.token(caller)?;
    let table = switch.routes.now();
    let languages = headers.get(header::ACCEPT_LANGUAGE);
    let mut parts = Parts::default();
    for destination in table.destinations() {
        let path = path(&destination.service);
        match switch.ask(destination, &token, &path, languages).await {
            Ok(listed) => parts.listed.push(listed),
            // The request is at fault.
            Err(Some(refused)) if refused.status() == StatusCode::UNPROCESSABLE_ENTITY => {
                parts.refused = parts.refused.or(Some(refused));
            }
            Err(_) => parts.unreachable.push(destination.service.clone()),
        }
    }
    Ok(parts)
}
