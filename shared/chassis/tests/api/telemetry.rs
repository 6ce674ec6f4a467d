//! What a collector receives, and what `/metrics` shows.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::OriginalUri, routing::post};
use chassis::{Config, Service, telemetry};
use http::Request;
use kernel::Clock;
use serde_json::json;

use crate::desk::{Desk, PARCEL, noon};

const TRACE: &str = "7bf92f3577b34da6a3ce929d0e0e4736";

/// What was posted where.
type Received = Arc<Mutex<Vec<(String, Bytes)>>>;

async fn collector() -> (String, Received) {
    let received = Received::default();
    let kept = received.clone();
    let take = async move |OriginalUri(uri): OriginalUri, body: Bytes| {
        kept.lock().unwrap().push((uri.path().to_owned(), body));
    };
    let router = Router::new().route("/v1/{kind}", post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://{address}"), received)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_leaves_a_trace_a_log_and_a_measure() {
    let (endpoint, received) = collector().await;
    let config = Config::of(&[("telemetry.otlp_endpoint", endpoint)]).unwrap();
    let telemetry = telemetry::start(&config.telemetry, "post").unwrap();
    // A name of its own: other tests of this process are counted, too.
    let service = Service::named("measured").processes([("parcel.v1.yaml", PARCEL)]);
    let desk = Desk::on(service, None, Clock::manual(noon())).await;
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let ada = desk.clerk().with("traceparent", &traceparent);
    ada.opens(json!({ "title": "A book" })).await;
    let entry = desk.running.office.store.unsent(1).await.unwrap();
    let handed_on = entry[0].envelope.traceparent.clone().unwrap();
    assert!(handed_on.contains(TRACE), "{handed_on}");
    assert_ne!(handed_on, traceparent, "the request's own span stands between");

    let request = Request::get("/metrics").body(axum::body::Body::empty()).unwrap();
    let page = desk.send(request).await;
    let page = page.body.as_str().unwrap();
    let line = page
        .lines()
        .find(|line| line.starts_with("steward_requests_total") && line.contains("measured"))
        .unwrap_or_else(|| panic!("no request is counted:\n{page}"));
    assert!(line.contains("status=\"201\"") && line.ends_with(" 1"), "{line}");
    assert!(page.contains("steward_acts_total{outcome=\"done\",service=\"measured\"}"), "{page}");

    telemetry.stop().await;
    let received = received.lock().unwrap();
    let of = |kind: &'static str| received.iter().filter(move |(path, _)| path == kind);
    let id = hex::decode(TRACE).unwrap();
    let contains =
        |body: &Bytes, part: &[u8]| body.windows(part.len()).any(|window| window == part);
    assert!(
        of("/v1/traces").any(|(_, body)| contains(body, &id) && contains(body, b"parcel.open"))
    );
    assert!(of("/v1/metrics").any(|(_, body)| contains(body, b"steward.requests")));
    assert!(of("/v1/logs").count() > 0);
}
