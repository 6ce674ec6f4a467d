//! Routing between small services of the test's own.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{any, get},
};
use contract::{IDENTITY_HEADER, ProcessDescriptor};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::*;

fn descriptor(service: &str, collections: &[&str], paths: &[&str]) -> Descriptor {
    let process = |collection: &&str| ProcessDescriptor {
        process: collection.trim_end_matches('s').to_owned(),
        collection: (*collection).to_owned(),
        prefix: "X".to_owned(),
        roles: vec![format!("{service}_agent")],
    };
    Descriptor {
        service: service.to_owned(),
        version: "0.1.0".to_owned(),
        url: format!("http://{service}.invalid"),
        processes: collections.iter().map(process).collect(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    }
}

fn routes(folder: &tempfile::TempDir) -> Routes {
    Routes::open(BTreeMap::new(), folder.path().join("descriptors.json"))
}

fn owner(routes: &Routes, path: &str) -> Option<String> {
    routes.now().owner(path).map(|destination| destination.service.clone())
}

#[test]
fn a_collection_a_process_and_a_further_path_lead_to_their_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let routes = routes(&folder);
    routes.learn(descriptor("incident", &["incidents", "alerts"], &["/intake/totals"]));
    routes.learn(descriptor("change", &["changes"], &[]));
    for (path, service) in [
        ("incidents", Some("incident")),
        ("incidents/INC0000001/transitions/start", Some("incident")),
        ("changes", Some("change")),
        ("processes/change/schema", Some("change")),
        ("processes/incidents", None),
        ("services/change/refusals", Some("change")),
        ("services/unknown/refusals", None),
        ("intake/totals", Some("incident")),
        ("intake/totalsum", None),
        ("intake", None),
        ("surprises", None),
        ("", None),
    ] {
        assert_eq!(owner(&routes, path).as_deref(), service, "{path}");
    }
    let roles: Vec<_> = routes.now().roles().into_iter().collect();
    assert_eq!(roles, ["change_agent", "incident_agent"]);
}

#[test]
fn a_name_belongs_to_one_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let routes = routes(&folder);
    routes.learn(descriptor("incident", &["incidents"], &[]));
    routes.learn(descriptor("rogue", &["incidents"], &[]));
    assert_eq!(owner(&routes, "incidents").as_deref(), Some("incident"));
}

#[test]
fn the_services_that_run_and_those_that_are_offered_share_a_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let routes = routes(&folder);
    routes.learn(descriptor("incident", &["incidents"], &[]));
    routes.learn(descriptor("sla", &["services"], &[]));
    assert_eq!(owner(&routes, "services/incident/dead-letters").as_deref(), Some("incident"));
    assert_eq!(owner(&routes, "services/SVC0000001").as_deref(), Some("sla"));
    assert_eq!(owner(&routes, "services").as_deref(), Some("sla"));
}

#[test]
fn the_last_good_descriptors_outlive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    routes(&folder).learn(descriptor("incident", &["incidents"], &[]));
    assert_eq!(owner(&routes(&folder), "incidents").as_deref(), Some("incident"));
    std::fs::write(folder.path().join("descriptors.json"), "{half").expect("written");
    assert_eq!(owner(&routes(&folder), "incidents"), None);
}

/// A service that answers with what it was asked.
fn mirror() -> Router {
    let say = async |request: Request| {
        let (parts, body) = request.into_parts();
        let header = |name: &str| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let said = json!({
            "method": parts.method.as_str(),
            "path": parts.uri.path_and_query().map(|path| path.as_str()),
            "identity": header(IDENTITY_HEADER),
            "authorization": header("authorization"),
            "private": header("x-private"),
            "content-type": header("content-type"),
            "bytes": body.collect().await.map(|body| body.to_bytes().len()).ok(),
        });
        Response::builder()
            .status(StatusCode::CREATED)
            .header("etag", "\"3\"")
            .header("connection", "keep-alive, x-private")
            .header("x-private", "1")
            .body(Body::from(said.to_string()))
            .expect("a response")
    };
    Router::new().route("/api/v1/nothing", get(async || StatusCode::NO_CONTENT)).fallback(any(say))
}

async fn over_http() -> Upstream {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move { axum::serve(listener, mirror()).await });
    Upstream::Http(format!("http://{address}/"))
}

async fn forward(upstream: Upstream, request: Request) -> (StatusCode, HeaderMap, Vec<u8>) {
    let destination = Destination { service: "mirror".to_owned(), upstream };
    let forwarder = Forwarder::new(1024, 4096).expect("a client");
    let (parts, body) = forwarder.forward(&destination, "vouched", request).await.into_parts();
    let body = body.collect().await.expect("the body").to_bytes().to_vec();
    (parts.status, parts.headers, body)
}

fn request(bytes: usize) -> Request {
    Request::post("/api/v1/incidents?limit=3")
        .header("authorization", "Bearer secret")
        .header(IDENTITY_HEADER, "forged")
        .header("connection", "x-private")
        .header("x-private", "1")
        .header("content-type", "application/json")
        .header("content-length", bytes)
        .body(Body::from(vec![b'x'; bytes]))
        .expect("a request")
}

#[tokio::test]
async fn a_request_goes_on_and_its_answer_comes_back() {
    for upstream in [Upstream::InProcess(mirror()), over_http().await] {
        let (status, headers, body) = forward(upstream.clone(), request(1024)).await;
        assert_eq!(status, StatusCode::CREATED);
        assert_eq!(headers["etag"], "\"3\"");
        assert!(!headers.contains_key("x-private") && !headers.contains_key("connection"));
        let said: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            said,
            json!({
                "method": "POST", "path": "/api/v1/incidents?limit=3", "identity": "vouched",
                "authorization": null, "private": null, "content-type": "application/json",
                "bytes": 1024,
            })
        );
        let get = Request::get("/api/v1/nothing").body(Body::empty()).expect("a request");
        assert_eq!(forward(upstream, get).await.0, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_said_or_unsaid() {
    for upstream in [Upstream::InProcess(mirror()), over_http().await] {
        let said = forward(upstream.clone(), request(1025)).await;
        let chunks = futures::stream::iter((0..3).map(|_| Ok::<_, std::io::Error>([b'x'; 400])));
        let body = Body::from_stream(futures::StreamExt::map(chunks, |chunk| chunk.map(Vec::from)));
        let unsaid = Request::post("/api/v1/incidents").body(body).expect("a request");
        for (status, _, body) in [said, forward(upstream, unsaid).await] {
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
            assert!(String::from_utf8_lossy(&body).contains("\"code\":\"too_large\""));
        }
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let (status, headers, body) =
        forward(Upstream::Http(format!("http://{address}")), request(10)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(headers.contains_key("retry-after"));
    assert!(String::from_utf8_lossy(&body).contains("`mirror`"));
}
