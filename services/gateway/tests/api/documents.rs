//! The API's document, the page to read it, the clock.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::desk::{Desk, Wishes};
use crate::services::{descriptor, mirror};

/// Every `$ref` of a document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn one_document_describes_the_whole_api() {
    let desk = Desk::with(Wishes {
        upstreams: [("mirror".to_owned(), mirror())].into(),
        descriptors: vec![descriptor("mirror", "incidents")],
        ..Wishes::default()
    })
    .await;
    let document = desk.administrator().get("/api/v1/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    for (method, path) in [
        ("post", "/api/v1/intake/alertmanager"),
        ("get", "/api/v1/events"),
        ("post", "/api/v1/api-keys"),
        ("post", "/api/v1/session"),
        ("post", "/api/v1/passwords"),
        ("get", "/api/v1/api-keys"),
        ("post", "/api/v1/persons"),
        ("post", "/api/v1/groups/{id}/transitions/dissolve"),
        ("get", "/api/v1/incidents"),
        ("get", "/healthz"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path}");
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut ids: Vec<&str> = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(_, item)| item.as_object().into_iter().flatten())
        .filter_map(|(_, operation)| operation["operationId"].as_str())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an operation's id stands twice");
}

#[tokio::test]
async fn the_page_needs_no_token_and_nothing_from_elsewhere() {
    let desk = Desk::alone().await;
    let page = desk.request(Method::GET, "/api/v1/docs/").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("'self'"));
    let page = page.text().await.unwrap();
    assert!(!page.contains("://"), "the page asks something of elsewhere");
    for file in ["swagger-ui.css", "page.css", "swagger-ui-bundle.js", "page.js"] {
        assert!(page.contains(file), "{file}");
        let asset = desk.request(Method::GET, &format!("/api/v1/docs/{file}")).send().await;
        let asset = asset.unwrap();
        assert_eq!(asset.status(), StatusCode::OK, "{file}");
        assert!(asset.bytes().await.unwrap().len() > 100, "{file}");
    }
    let other = desk.request(Method::GET, "/api/v1/docs/other").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_manual_clock_is_told_and_moved_by_the_administrator() {
    let desk = Desk::with(Wishes { manual_clock: true, ..Wishes::default() }).await;
    let now = desk.administrator().get("/api/v1/clock").await;
    assert_eq!(now.body["now"], "2026-03-14T08:00:00.000000Z");
    let scopes = json!({"name": "W", "scopes": ["records:read", "records:write"]});
    let (other, _) = desk.key(scopes).await;
    let moved = other.post("/api/v1/clock", &json!({"advance": "PT1H"})).await;
    assert_eq!(moved.problem(), (403, "role"));
    let moved = desk.administrator().post("/api/v1/clock", &json!({"advance": "PT4H"})).await;
    assert_eq!(moved.body["now"], "2026-03-14T12:00:00.000000Z");
}

#[tokio::test]
async fn the_systems_clock_is_nobodys_to_move() {
    let desk = Desk::alone().await;
    let moved = desk.administrator().post("/api/v1/clock", &json!({"advance": "PT1H"})).await;
    assert_eq!(moved.problem(), (404, "clock"));
}
