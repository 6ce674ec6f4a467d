//! Records over HTTP: opened, read, moved, listed, brought in.

use axum::body::Body;
use chrono::TimeDelta;
use http::Request;
use serde_json::json;

use crate::desk::{Desk, noon};

#[tokio::test]
async fn a_parcel_goes_its_way() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let opened = ada.opens(json!({ "title": "A book", "depot": "North" })).await;
    assert_eq!(opened.body["number"], "PCL0000001");
    assert_eq!(opened.headers["etag"], "\"1\"");
    let location = opened.headers["location"].to_str().unwrap().to_owned();
    let offers = opened.body["offers"].as_array().unwrap();
    assert_eq!(offers[0]["name"], "send");
    assert_eq!(offers[0]["refused_because"], json!(null));
    assert!(offers[1]["refused_because"].as_str().unwrap().contains("courier"));

    let read = ada.get(&location).await;
    assert_eq!(read.body, opened.body);
    let by_number = ada.get("/api/v1/parcels/PCL0000001").await;
    assert_eq!(by_number.body["id"], opened.body["id"]);

    let sent = ada.post(&format!("{location}/transitions/send"), json!({})).await;
    assert_eq!((sent.status.as_u16(), &sent.body["state"]), (200, &json!("sent")), "{sent:?}");
    let courier = desk.person("Bob", &["courier"]);
    let given = courier.ask("POST", &format!("{location}/transitions/give"), None).await;
    assert_eq!(given.body["state"], "gone");
    assert_eq!(given.headers["etag"], "\"3\"");

    let history = ada.get(&format!("{location}/history")).await;
    let events: Vec<_> =
        history.body["items"].as_array().unwrap().iter().map(|item| &item["event"]).collect();
    assert_eq!(events, ["opened", "sent", "given"]);
    assert_eq!(history.body["items"][2]["actor"], json!({ "id": "person:Bob", "name": "Bob" }));
    assert_eq!(history.body["next"], json!(null));
    let first = ada.get(&format!("{location}/history?limit=2")).await;
    assert_eq!(first.body["next"], "2");
}

#[tokio::test]
async fn who_is_nobody_and_who_may_not_are_told_apart() {
    let desk = Desk::open().await;
    let request = Request::get("/api/v1/parcels").body(Body::empty()).unwrap();
    let nobody = desk.send(request).await;
    assert_eq!(nobody.status, 401);
    assert_eq!(nobody.headers["content-type"], "application/problem+json");
    assert!(nobody.headers.contains_key("x-request-id"));
    assert_eq!(nobody.body["instance"], nobody.headers["x-request-id"].to_str().unwrap());

    let opened = desk.clerk().opens(json!({ "title": "A book" })).await;
    let path = format!("/api/v1/parcels/{}", opened.body["id"].as_str().unwrap());
    let stranger = desk.person("Eve", &["accountant"]);
    assert_eq!(stranger.get(&path).await.status, 404);
    assert_eq!(stranger.ask("PATCH", &path, Some(json!({ "weight": 1 }))).await.status, 404);
    let courier = desk.person("Bob", &["courier"]);
    let refused = courier.post(&format!("{path}/transitions/send"), json!({})).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body["detail"].as_str().unwrap().contains("clerk"), "{refused:?}");
    let mut key = desk.clerk();
    key.identity.scopes = ["alerts:write".to_owned()].into_iter().collect();
    assert_eq!(key.get(&path).await.status, 403);

    let auditor = desk.person("Aud", &["auditor"]);
    let refusals = auditor.get("/api/v1/services/post/refusals").await;
    assert_eq!(refusals.body["items"][0]["actor"], "person:Bob", "{refusals:?}");
    assert_eq!(courier.get("/api/v1/services/post/refusals").await.status, 403);
    let refusals = auditor.get("/api/v1/services/post/refusals").await;
    assert_eq!(refusals.body["items"][1]["command"], "refusals", "{refusals:?}");
}

#[tokio::test]
async fn bad_requests_are_told_all_their_faults() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let path = "/api/v1/parcels";
    let wrong = ada.post(path, json!({ "weight": "heavy", "colour": "red" })).await;
    assert_eq!(wrong.status, 422);
    let mut codes = wrong.codes();
    codes.sort_unstable();
    assert_eq!(codes, ["required", "type", "unknown_field"]);
    for (body, status) in [
        ("{\"title\":1,\"title\":2}", 400),
        ("{\"title\":NaN}", 400),
        ("[]", 422),
        ("[\"A book\"]", 422),
        ("nonsense", 400),
    ] {
        assert_eq!(ada.ask_raw("POST", path, body).await.status, status, "{body}");
    }
    assert_eq!(ada.ask_raw("POST", path, vec![0xff, 0xfe]).await.status, 400);
    let deep = format!("{{\"title\":{}1{}}}", "[".repeat(80), "]".repeat(80));
    assert_eq!(ada.ask_raw("POST", path, deep).await.status, 400);
    let large = json!({ "title": "x".repeat(2 << 20) });
    assert_eq!(ada.post(path, large).await.status, 413);
    assert_eq!(ada.get(&format!("{path}?colour=red&limit=0")).await.codes().len(), 2);
    assert_eq!(ada.get(&format!("{path}?filter=record.title%20%3D%3D%201")).await.status, 422);
    assert_eq!(ada.get("/api/v1/parcels/PCL0000099").await.status, 404);
    assert_eq!(ada.get("/api/v1/nothing").await.status, 404);
    let other = ada.ask("DELETE", path, None).await;
    assert_eq!(other.status, 405);
    assert_eq!(other.headers["content-type"], "application/problem+json");
    assert!(other.headers["allow"].to_str().unwrap().contains("POST"));
    let options = ada.ask("OPTIONS", path, None).await;
    assert_eq!(options.status, 204);
    assert!(options.headers["allow"].to_str().unwrap().contains("GET"));
    assert_eq!(ada.ask("HEAD", path, None).await.status, 200);
}

#[tokio::test]
async fn a_repeated_request_is_done_once() {
    let desk = Desk::open().await;
    let ada = desk.clerk().with("idempotency-key", "k1");
    let first = ada.opens(json!({ "title": "A book" })).await;
    let again = ada.opens(json!({ "title": "A book" })).await;
    assert_eq!(first.body["id"], again.body["id"]);
    let other = ada.post("/api/v1/parcels", json!({ "title": "A vase" })).await;
    assert_eq!(
        (other.status.as_u16(), other.body["errors"][0]["code"].as_str()),
        (422, Some("key_reused"))
    );
    let list = ada.get("/api/v1/parcels").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
    assert!(list.body["items"][0].get("offers").is_none());
}

#[tokio::test]
async fn a_stale_revision_is_refused() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    ada.opens(json!({ "title": "A book" })).await;
    let path = "/api/v1/parcels/PCL0000001";
    let patched = ada.clone().with("if-match", "\"1\"");
    let patch = || Some(json!({ "weight": 2.5, "depot": "South" }));
    assert_eq!(patched.ask("PATCH", path, patch()).await.body["rev"], 2);
    let stale = patched.ask("PATCH", path, patch()).await;
    assert_eq!(stale.status, 412);
    assert_eq!(stale.headers["etag"], "\"2\"");
    assert_eq!(ada.clone().with("if-match", "2").ask("PATCH", path, patch()).await.status, 422);
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    for weight in 1..=5 {
        let depot = if weight % 2 == 0 { "North" } else { "South" };
        ada.opens(json!({ "title": "A book", "weight": weight, "depot": depot })).await;
    }
    let weights = |answer: &crate::desk::Answer| -> Vec<u64> {
        let items = answer.body["items"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
        items.iter().map(|item| item["data"]["weight"].as_u64().unwrap()).collect()
    };
    let path = "/api/v1/parcels?sort=weight&limit=2&filter=record.depot%20%3D%3D%20'South'";
    let first = ada.get(path).await;
    assert_eq!(weights(&first), [1, 3]);
    let next = first.body["next"].as_str().unwrap();
    let second = ada.get(&format!("{path}&cursor={next}")).await;
    assert_eq!((weights(&second), &second.body["next"]), (vec![5], &json!(null)));
    assert_eq!(ada.get("/api/v1/parcels?sort=title").await.status, 422);
    assert_eq!(ada.get("/api/v1/parcels?cursor=xyz").await.status, 422);
}

#[tokio::test]
async fn comments_and_links_belong_to_a_record() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    ada.opens(json!({ "title": "A book" })).await;
    ada.opens(json!({ "title": "Another book" })).await;
    let path = "/api/v1/parcels/PCL0000002";
    let said = ada.post(&format!("{path}/comments"), json!({ "text": "It is wet." })).await;
    assert_eq!((said.status.as_u16(), &said.body["rev"]), (201, &json!(2)));
    let comments = ada.get(&format!("{path}/comments")).await;
    assert_eq!(comments.body["items"][0]["text"], "It is wet.");
    let tie = json!({ "relation": "replaces", "to": "PCL0000001" });
    assert_eq!(ada.post(&format!("{path}/links"), tie).await.status, 201);
    let seen = ada.get("/api/v1/parcels/PCL0000001/links").await;
    assert_eq!(seen.body["items"][0]["relation"], "replaced_by", "{seen:?}");
    assert_eq!(seen.body["items"][0]["to"]["number"], "PCL0000002");
    let nowhere = json!({ "relation": "replaces", "to": "PCL0000077" });
    assert_eq!(ada.post(&format!("{path}/links"), nowhere).await.status, 422);
}

#[tokio::test]
async fn many_commands_have_a_result_each() {
    let desk = Desk::open().await;
    let ada = desk.clerk().with("idempotency-key", "batch-1");
    let commands = json!({ "commands": [
        { "open": { "title": "A book", "depot": "North" } },
        { "open": { "weight": 1 } },
        { "id": "PCL0000001", "take": "send", "with": {} },
        { "id": "PCL0000099", "comment": "Where are you?" },
        { "id": "PCL0000001" },
    ] });
    for _ in 0..2 {
        let answer = ada.post("/api/v1/parcels/batch", commands.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let results = answer.body["results"].as_array().unwrap();
        let statuses: Vec<_> = results.iter().map(|one| one["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses[1..], [422, 200, 404, 422]);
        assert_eq!(results[2]["record"]["state"], "sent");
    }
    let list = desk.clerk().get("/api/v1/parcels").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn history_is_imported_with_its_own_times() {
    let desk = Desk::open().await;
    let admin = desk.person("Root", &["administrator"]);
    let at = |minutes: i64| noon() - TimeDelta::days(30) + TimeDelta::minutes(minutes);
    let steps = json!([
        { "occurred_at": at(0), "by": "Carl", "open": { "title": "A book", "depot": "North" } },
        { "occurred_at": at(5), "take": "send", "implied": true },
        { "occurred_at": at(5), "comment": "On its way." },
        { "occurred_at": at(90), "take": "give", "by": "Dora" },
    ]);
    let future = json!([{ "occurred_at": at(90_000), "open": { "title": "A book" } }]);
    let body = json!({ "records": [{ "steps": steps }, { "steps": future }] });
    let answer = admin.post("/api/v1/parcels/import", body.clone()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let record = &answer.body["results"][0]["record"];
    assert_eq!(record["state"], "gone", "{answer:?}");
    assert_eq!(answer.body["results"][1]["status"], 422);
    let history = admin.get("/api/v1/parcels/PCL0000001/history").await;
    let items = history.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 4);
    assert_eq!(items[1]["implied"], true);
    assert_eq!(items[3]["actor"]["name"], "Dora");
    assert_eq!(items[3]["at"], "2026-02-14T13:30:00.000000Z");
    assert_eq!(items[3]["recorded_at"], "2026-03-16T12:00:00.000000Z");
    assert_eq!(items[3]["channel"], "import");
    assert_eq!(desk.clerk().post("/api/v1/parcels/import", body).await.status, 403);
}

#[tokio::test]
async fn timers_fire_when_the_clock_is_moved() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    ada.opens(json!({ "title": "A book" })).await;
    let hand = chassis::Hand::new(desk.clock.clone());
    hand.hold(desk.running.settles());
    hand.move_to(noon() + TimeDelta::days(1)).await.unwrap();
    let path = "/api/v1/parcels/PCL0000001";
    assert_eq!(ada.get(path).await.body["state"], "open");
    hand.move_to(noon() + TimeDelta::days(3)).await.unwrap();
    let lost = ada.get(path).await;
    assert_eq!(lost.body["state"], "lost");
    assert_eq!(lost.body["closed_at"], "2026-03-18T12:00:00.000000Z");
}

#[tokio::test]
async fn the_service_says_what_it_is_and_how_it_fares() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let process = ada.get("/api/v1/processes/parcel").await;
    assert_eq!(process.body["states"]["sent"][0]["to"], "gone");
    assert_eq!(ada.get("/api/v1/processes/letter").await.status, 404);
    let schema = ada.get("/api/v1/processes/parcel/schema").await;
    assert_eq!(schema.body["open"]["required"], json!(["title"]));
    let descriptor = desk.running.described.borrow().clone();
    assert_eq!(descriptor.processes[0].prefix, "PCL");
    let document = ada.get("/api/v1/services/post/openapi.json").await;
    assert!(document.body["paths"].get("/api/v1/parcels").is_some());
    for path in ["/healthz", "/readyz", "/metrics"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(desk.send(request).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_restarted_service_goes_on_where_it_was() {
    let desk = Desk::open().await;
    desk.clerk().opens(json!({ "title": "A book" })).await;
    desk.running.life.drain();
    let request = Request::get("/readyz").body(Body::empty()).unwrap();
    assert_eq!(desk.send(request).await.status, 503);
}
