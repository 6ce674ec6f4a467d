//! Requests on their way to the services that own them.

use axum::{
    Json, Router,
    extract::Request,
    routing::{any, get},
};
use contract::{Descriptor, IDENTITY_HEADER, ProcessDescriptor};
use gateway::routing::Upstream;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::desk::{Answer, Desk, Wishes, until_yes};

/// What a service with one collection says of itself.
pub fn descriptor(service: &str, collection: &str) -> Descriptor {
    Descriptor {
        service: service.to_owned(),
        version: "0.1.0".to_owned(),
        url: String::new(),
        processes: vec![ProcessDescriptor {
            process: collection.trim_end_matches('s').to_owned(),
            collection: collection.to_owned(),
            prefix: "X".to_owned(),
            roles: vec![format!("{service}_agent")],
        }],
        paths: vec!["intake/totals".to_owned()],
    }
}

/// A service that answers with what it was asked.
fn mirror_router() -> Router {
    let say = async |request: Request| {
        let header = |name: &str| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        Json(json!({
            "path": request.uri().path(),
            "identity": header(IDENTITY_HEADER),
            "authorization": header("authorization"),
            "request": header("x-request-id"),
            "traceparent": header("traceparent"),
        }))
    };
    let gone = async || {
        let body = json!({"status": 410, "code": "gone", "detail": "It was here once."});
        (StatusCode::GONE, [("content-type", "application/problem+json")], Json(body))
    };
    let document = async || {
        Json(json!({"paths": {"/api/v1/incidents": {
            "get": {"summary": "List", "responses": {"200": {"description": "ok"}}},
        }}}))
    };
    Router::new()
        .route("/api/v1/processes", get(async || Json(json!({"items": [{"process": "incident"}]}))))
        .route("/api/v1/services/{name}/openapi.json", get(document))
        .route("/api/v1/incidents/gone", get(gone))
        .fallback(any(say))
}

/// The mirror in the gateway's own process.
pub fn mirror() -> Upstream {
    Upstream::InProcess(mirror_router())
}

/// The mirror over HTTP, and where it is.
async fn distant_mirror() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, mirror_router()).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_request_reaches_its_service_with_its_id_and_trace() {
    let desk = Desk::with(Wishes {
        upstreams: [("mirror".to_owned(), Upstream::Http(distant_mirror().await))].into(),
        descriptors: vec![descriptor("mirror", "incidents")],
        ..Wishes::default()
    })
    .await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = desk
        .administrator()
        .request(Method::GET, "/api/v1/incidents/INC0000001/history")
        .header("x-request-id", "r-17")
        .header("traceparent", trace);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
    assert_eq!(answer.headers["x-request-id"], "r-17");
    assert_eq!(answer.body["path"], "/api/v1/incidents/INC0000001/history");
    assert_eq!(answer.body["request"], "r-17");
    assert_eq!(answer.body["traceparent"], trace);
    assert_eq!(desk.administrator().get("/api/v1/intake/totals").await.status, StatusCode::OK);
    assert_eq!(desk.administrator().get("/api/v1/surprises").await.problem(), (404, "unknown"));
    // A service's own problem arrives as it was worded.
    let gone = desk.administrator().get("/api/v1/incidents/gone").await;
    assert_eq!(
        (gone.status, &gone.body["detail"]),
        (StatusCode::GONE, &json!("It was here once."))
    );
}

#[tokio::test]
async fn a_service_that_is_away_is_named_and_the_others_go_on() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut change = descriptor("change", "changes");
    change.paths.clear();
    let desk = Desk::with(Wishes {
        upstreams: [("change".to_owned(), Upstream::Http(away)), ("mirror".to_owned(), mirror())]
            .into(),
        descriptors: vec![change, descriptor("mirror", "incidents")],
        ..Wishes::default()
    })
    .await;
    let answer = desk.administrator().get("/api/v1/changes").await;
    assert_eq!(answer.problem(), (503, "service_unreachable"));
    assert!(answer.headers.contains_key("retry-after"));
    assert!(answer.body["detail"].as_str().unwrap().contains("`change`"));
    assert_eq!(desk.administrator().get("/api/v1/incidents").await.status, StatusCode::OK);
    let processes = desk.administrator().get("/api/v1/processes").await;
    assert_eq!(processes.body["unreachable"], json!(["change"]));
    let items = processes.body["items"].as_array().unwrap();
    let known: Vec<_> = items.iter().map(|item| item["process"].as_str().unwrap()).collect();
    assert!(known.contains(&"person") && known.contains(&"incident"), "{known:?}");
    let administrator = desk.administrator();
    let german = administrator.request(Method::GET, "/api/v1/processes");
    let german = Answer::of(german.header("accept-language", "de").send().await.unwrap()).await;
    let titles = german.body["items"].as_array().unwrap().iter();
    assert!(titles.clone().any(|item| item["title"] == "Gruppe"), "{german:?}");
}

#[tokio::test]
async fn a_command_that_is_too_large_is_refused() {
    let desk = Desk::alone().await;
    let body = json!({"name": "x".repeat(2 * 1024 * 1024)});
    let answer = desk.administrator().post("/api/v1/persons", &body).await;
    assert_eq!(answer.problem(), (413, "too_large"));
}

#[tokio::test]
async fn a_new_service_is_found_by_what_it_says_on_the_bus() {
    let desk = Desk::on_the_bus().await;
    assert_eq!(desk.administrator().get("/api/v1/incidents").await.status, StatusCode::NOT_FOUND);
    let said = Descriptor { url: distant_mirror().await, ..descriptor("mirror", "incidents") };
    desk.bus.as_ref().unwrap().describe(&said).await.unwrap();
    until_yes("the new service", async || {
        desk.administrator().get("/api/v1/incidents").await.status == StatusCode::OK
    })
    .await;
}
