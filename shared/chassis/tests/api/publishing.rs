//! Publishing and migrating over HTTP, while records run.

use std::time::{Duration, Instant};

use chassis::Service;
use engine::Command;
use http::StatusCode;
use kernel::{Cause, Channel, Clock};
use serde_json::{Value, json};
use store::{Act, Target};
use uuid::Uuid;

use crate::desk::{Answer, Desk, PARCEL, Person, noon};

const PATH: &str = "/api/v1/processes/parcel";

/// What is in force, as its `If-Match`.
async fn tag(person: &Person<'_>) -> String {
    let present = person.get(&format!("{PATH}/versions/present")).await;
    present.headers["etag"].to_str().unwrap().to_owned()
}

async fn publish(person: &Person<'_>, tag: &str, text: &str) -> Answer {
    put(person, PATH, tag, text).await
}

async fn put(person: &Person<'_>, path: &str, tag: &str, text: &str) -> Answer {
    person.clone().with("if-match", tag).ask_raw("PUT", path, text.to_owned()).await
}

/// A second version: a parcel is weighed before it is sent.
fn second() -> String {
    let sent = "send:   { to: sent, by: [clerk], needs: [depot], says: sent }";
    let weighed = "weigh:  { to: weighed, by: [clerk], needs: [weight], says: weighed }";
    let text = PARCEL.replace(sent, weighed);
    text.replace("  sent:\n", &format!("  weighed:\n    {sent}\n  sent:\n"))
}

#[tokio::test]
async fn what_is_published_is_in_force_at_once_and_records_keep_their_version() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let before = ada.opens(json!({ "title": "A book", "depot": "North" })).await;
    let old = tag(&ada).await;
    let published = publish(&ada, &old, &second()).await;
    assert_eq!(published.status, StatusCode::OK, "{published:?}");
    assert_eq!(
        (&published.body["version"], &published.body["origin"]),
        (&json!(2), &json!("local"))
    );
    assert_ne!(published.headers["etag"], old.as_str());

    let after = ada.opens(json!({ "title": "A pen" })).await;
    assert_eq!(after.body["definition"], 2);
    assert_eq!(after.body["offers"][0]["name"], "weigh");
    let path = format!("/api/v1/parcels/{}", before.body["number"].as_str().unwrap());
    assert_eq!(ada.get(&path).await.body["offers"][0]["name"], "send");
    let sent = ada.post(&format!("{path}/transitions/send"), json!({})).await;
    assert_eq!((&sent.body["state"], &sent.body["definition"]), (&json!("sent"), &json!(1)));

    let versions = ada.get(&format!("{PATH}/versions")).await.body;
    assert_eq!((&versions["present"], &versions["shipped"]), (&json!(2), &json!(1)));
    let standing =
        versions["items"].as_array().unwrap().iter().map(|item| &item["records"]["open"]);
    assert_eq!(standing.collect::<Vec<_>>(), [&json!(1), &json!(1)]);
    assert_eq!(ada.get(PATH).await.body["version"], 2);
    let text = ada.get(&format!("{PATH}/versions/1")).await;
    assert_eq!(text.body, PARCEL);

    // Who published what is a record like any other, with its history.
    let number = published.body["publication"].as_str().unwrap();
    let path = format!("/api/v1/services/post/publications/{number}");
    let boss = desk.person("Root", &["administrator"]);
    let publication = boss.get(&path).await.body;
    assert_eq!(publication["state"], "in_force");
    assert_eq!(publication["data"]["author"], "person:Ada");
    assert_eq!(publication["data"]["version"], 2);
    let history = boss.get(&format!("{path}/history")).await.body;
    assert_eq!(history["items"][1]["event"], "approved");
    assert!(desk.running.office.store.verify().await.unwrap().is_sound());
}

#[tokio::test]
async fn who_made_it_from_something_older_is_told_what_differs() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let old = tag(&ada).await;
    assert_eq!(publish(&ada, &old, &second()).await.status, 200);
    let late = publish(&ada, &old, &PARCEL.replace("P2D", "P3D")).await;
    assert_eq!(late.status, 412);
    assert_eq!(late.body["code"], "stale");
    let difference = &late.body["difference"];
    assert_eq!((&difference["from"], &difference["to"]), (&json!(1), &json!(2)));
    let paths = difference["changes"].as_array().unwrap().iter().map(|change| &change["path"]);
    assert_eq!(
        paths.collect::<Vec<_>>(),
        ["states.open.send", "states.open.weigh", "states.weighed"]
    );
    assert!(difference["text"].as_str().unwrap().contains("\n+  weighed:\n"));
    // Nothing was recorded of it, and the same text once more changes nothing.
    let now = tag(&ada).await;
    let again = publish(&ada, &now, &second()).await;
    assert_eq!((again.status.as_u16(), &again.body["version"]), (200, &json!(2)));
    assert_eq!(again.body.get("publication"), None);

    let unsaid = ada.ask_raw("PUT", PATH, second()).await;
    assert_eq!((unsaid.status.as_u16(), &unsaid.body["code"]), (428, &json!("if_match")));
}

#[tokio::test]
async fn two_who_publish_at_once_do_not_both_win() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let old = tag(&ada).await;
    let texts = [second(), PARCEL.replace("P2D", "P3D"), PARCEL.replace("P2D", "P4D")];
    let all = texts.iter().map(|text| publish(&ada, &old, text));
    let answers = futures::future::join_all(all).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412]);
    let versions = ada.get(&format!("{PATH}/versions")).await.body;
    assert_eq!(versions["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_faulty_comes_into_force() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let now = tag(&ada).await;
    let broken = second().replace("to: gone", "to: gon").replace("by: [courier]", "by: [curier]");
    let answer = publish(&ada, &now, &broken).await;
    assert_eq!(answer.status, 422);
    assert!(answer.codes().contains(&"unknown_state") && answer.codes().contains(&"unknown_role"));
    assert!(answer.body["errors"][0]["path"].as_str().unwrap().contains(':'));
    let renamed = publish(&ada, &now, &PARCEL.replace("number: PCL", "number: PAR")).await;
    assert_eq!(renamed.codes(), ["renamed"]);
    let other_kind = PARCEL.replace(
        "depot:   { type: string, index: text }",
        "depot:   { type: number, index: number }",
    );
    assert_eq!(publish(&ada, &now, &other_kind).await.codes(), ["index"]);
    let courier = desk.person("Bob", &["courier"]);
    assert_eq!(publish(&courier, &now, &second()).await.status, 403);
    assert_eq!(ada.get(PATH).await.body["version"], 1);
}

#[tokio::test]
async fn where_another_must_approve_the_author_does_not() {
    let service = Service::named("post").processes([("parcel.v1.yaml", PARCEL)]);
    let wish = [("service.publishing_needs_another", "true".to_owned())];
    let desk = Desk::configured(service, None, Clock::manual(noon()), &wish).await;
    let ada = desk.clerk();
    let old = tag(&ada).await;
    let proposed = publish(&ada, &old, &second()).await;
    assert_eq!((proposed.status.as_u16(), &proposed.body["state"]), (202, &json!("proposed")));
    let place = proposed.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(ada.get(PATH).await.body["version"], 1);
    let refused = ada.post(&format!("{place}/transitions/approve"), json!({})).await;
    assert_eq!(refused.body["detail"], "whoever wrote it does not approve it");
    // Each is offered what they may do.
    let offered = |record: &Value| record["offers"][0]["refused_because"].clone();
    assert_eq!(offered(&ada.get(&place).await.body), "whoever wrote it does not approve it");
    let other = desk.person("Eve", &["clerk"]);
    assert_eq!(offered(&other.get(&place).await.body), Value::Null);

    // Another proposal of the same version is there by then.
    let other = publish(&ada, &old, &PARCEL.replace("P2D", "P3D")).await;
    let eve = desk.person("Eve", &["clerk"]);
    let approved = eve.post(&format!("{place}/transitions/approve"), json!({})).await;
    assert_eq!(
        (approved.status.as_u16(), &approved.body["version"]),
        (200, &json!(2)),
        "{approved:?}"
    );
    let record = eve.get(&place).await.body;
    assert_eq!(record["data"]["author"], "person:Ada");
    assert_eq!(record["data"]["approver"], "person:Eve");
    let place = other.headers["location"].to_str().unwrap();
    let late = eve.post(&format!("{place}/transitions/approve"), json!({})).await;
    assert_eq!((late.status.as_u16(), &late.body["difference"]["to"]), (412, &json!(2)));
    let reason = json!({ "reason": "made from version 1" });
    let rejected = eve.post(&format!("{place}/transitions/reject"), reason).await;
    assert_eq!(rejected.body["state"], "rejected");
}

/// A third version: where a parcel waits is called otherwise, and so is where it goes.
fn renamed() -> String {
    PARCEL
        .replace("starts: open", "starts: waiting")
        .replace("  open:\n", "  waiting:\n")
        .replace("depot", "shelf")
}

#[tokio::test]
async fn records_are_migrated_after_a_look_at_what_would_become_of_them() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    for (title, depot) in [("A book", "North"), ("A pen", "South")] {
        ada.opens(json!({ "title": title, "depot": depot })).await;
    }
    ada.opens(json!({ "title": "A lamp" })).await;
    let old = tag(&ada).await;
    assert_eq!(publish(&ada, &old, &renamed()).await.status, 200);

    let path = format!("{PATH}/migrate");
    let look = ada.post(&path, json!({ "states": { "open": "waiting" } })).await;
    assert_eq!(look.status, 200, "{look:?}");
    assert_eq!((&look.body["would_move"], &look.body["would_refuse"]), (&json!(1), &json!(2)));
    let because = &look.body["refused"][0]["because"][0];
    assert_eq!(
        (&because["path"], &because["code"]),
        (&json!("/fields/depot"), &json!("unknown_field"))
    );
    let nowhere = ada.post(&path, json!({ "states": { "open": "shelf" } })).await;
    assert_eq!(nowhere.codes(), ["unknown_state"]);
    assert_eq!(desk.person("Bob", &["courier"]).post(&path, json!({})).await.status, 403);

    let wish = json!({
        "states": { "open": "waiting" }, "fields": { "depot": "shelf" }, "dry_run": false
    });
    let asked = ada.post(&path, wish).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let done = finished(&ada, asked.headers["location"].to_str().unwrap()).await;
    assert_eq!((&done["data"]["standing"], &done["data"]["refused"]), (&json!(3), &json!(0)));
    let moved = ada.get("/api/v1/parcels/PCL0000001").await.body;
    assert_eq!((&moved["state"], &moved["definition"]), (&json!("waiting"), &json!(2)));
    assert_eq!(moved["data"], json!({ "title": "A book", "shelf": "North" }));
    let history = ada.get("/api/v1/parcels/PCL0000001/history").await.body;
    assert_eq!(history["items"][1]["event"], "migrated");
    assert_eq!(history["items"][1]["migration"], json!({ "from": 1, "to": 2 }));
    assert_eq!(history["items"][1]["actor"]["name"], "Ada");
    let found = ada.get("/api/v1/parcels?filter=record.shelf%20%3D%3D%20%22North%22").await.body;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let sent = ada.post("/api/v1/parcels/PCL0000001/transitions/send", json!({})).await;
    assert_eq!(sent.body["state"], "sent");
    // Its timer goes by the new version, from when it was opened.
    desk.clock.move_to(noon() + chrono::TimeDelta::days(2));
    desk.running.settle().await.unwrap();
    assert_eq!(ada.get("/api/v1/parcels/PCL0000003").await.body["state"], "lost");
    assert!(desk.running.office.store.verify().await.unwrap().is_sound());
}

async fn finished(person: &Person<'_>, place: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let now = person.get(place).await.body;
        if now["state"] != "running" {
            return now;
        }
        assert!(Instant::now() < deadline, "{now}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_ships_anew_is_brought_together_with_what_was_published() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let old = tag(&ada).await;
    let local = |text: &str| text.replace("title: Parcel", "title: Package");
    assert_eq!(publish(&ada, &old, &local(PARCEL)).await.status, 200);
    let desk = desk.again(&second()).await;
    let ada = desk.clerk();
    // What the organisation published stays in force.
    let versions = ada.get(&format!("{PATH}/versions")).await.body;
    let numbers = ["present", "shipped", "base"].map(|name| versions[name].as_u64().unwrap());
    assert_eq!(numbers, [2, 3, 1]);
    let merged = ada.get(&format!("{PATH}/merge")).await.body;
    assert_eq!(merged["conflicts"], json!([]));
    let text = merged["text"].as_str().unwrap();
    assert_eq!(text, local(&second()));
    let now = tag(&ada).await;
    let takes = ada.clone().with("if-match", &now);
    let taken = takes.ask_raw("PUT", &format!("{PATH}?takes=3"), text.to_owned()).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    let versions = ada.get(&format!("{PATH}/versions")).await.body;
    assert_eq!((&versions["present"], &versions["base"]), (&json!(4), &json!(3)));
}

#[tokio::test]
async fn what_the_service_says_of_itself_follows_a_publication() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    let new_role = second().replace("  courier: {}", "  courier: {}\n  weigher: {}");
    let mut described = desk.running.described.clone();
    described.mark_unchanged();
    let old = tag(&ada).await;
    assert_eq!(publish(&ada, &old, &new_role).await.status, 200);
    described.changed().await.unwrap();
    let roles = described.borrow().processes[0].roles.clone();
    assert_eq!(roles, ["clerk", "courier", "weigher"]);
    let document = ada.get("/api/v1/services/post/openapi.json").await.body;
    assert!(document["paths"]["/api/v1/parcels/{id}/transitions/weigh"].is_object());
}

#[tokio::test]
async fn an_interrupted_migration_goes_on_by_itself() {
    let desk = Desk::open().await;
    let ada = desk.clerk();
    ada.opens(json!({ "title": "A book", "depot": "North" })).await;
    let old = tag(&ada).await;
    assert_eq!(publish(&ada, &old, &renamed()).await.status, 200);
    // A replica wrote down what is to be done, and died.
    let data = json!({
        "name": "parcel", "to": 2, "states": { "open": "waiting" }, "fields": { "depot": "shelf" },
        "by": "person:Ada", "by_name": "Ada", "owner_role": "clerk",
    });
    let owner = desk.person("Ada", &["owner"]).identity.actor;
    let cause = Cause::new(Uuid::from_u128(1), owner, noon(), Channel::Api);
    let target = Target::New { process: "migration".to_owned() };
    let open = Command::Open { data: data.as_object().unwrap().clone() };
    desk.running.office.store.act(Act::new(cause, target, vec![open])).await.unwrap();
    let desk = desk.again(PARCEL).await;
    let ada = desk.clerk();
    let done = finished(&ada, "/api/v1/services/post/migrations/MIG0000001").await;
    assert_eq!(done["state"], "finished");
    assert_eq!(ada.get("/api/v1/parcels/PCL0000001").await.body["state"], "waiting");
}

const RATES: &str =
    "scheme: rates\nkind: matrix\ninputs: [weight]\ntable: { light: 1, heavy: 3 }\n";
const RATES_PATH: &str = "/api/v1/services/post/schemes/rates";

#[tokio::test]
async fn a_scheme_is_published_by_administrators_and_kept_in_every_version() {
    let service = Service::named("post").processes([("parcel.v1.yaml", PARCEL)]);
    let service = service.schemes([("rates.v1.yaml", RATES)]);
    let desk = Desk::on(service, None, Clock::manual(noon())).await;
    let root = desk.person("Root", &["administrator"]);
    let present = root.get(&format!("{RATES_PATH}/versions/present")).await;
    assert_eq!(present.body, RATES);
    let tag = present.headers["etag"].to_str().unwrap().to_owned();
    let dearer = RATES.replace("heavy: 3", "heavy: 5") + "valid_from: 2026-04-01\n";
    assert_eq!(put(&desk.clerk(), RATES_PATH, &tag, &dearer).await.status, 403);
    let soon = put(&root, RATES_PATH, &tag, &dearer.replace("2026-04-01", "soon")).await;
    assert_eq!((soon.status.as_u16(), soon.codes()), (422, vec!["dates"]));
    let renamed =
        put(&root, RATES_PATH, &tag, &dearer.replace("scheme: rates", "scheme: prices")).await;
    assert_eq!(renamed.codes(), ["renamed"]);
    let published = put(&root, RATES_PATH, &tag, &dearer).await;
    assert_eq!((published.status.as_u16(), &published.body["version"]), (200, &json!(2)));
    let late = put(&root, RATES_PATH, &tag, RATES).await;
    assert_eq!((late.status.as_u16(), &late.body["difference"]["to"]), (412, &json!(2)));
    let versions = root.get(&format!("{RATES_PATH}/versions")).await.body;
    assert_eq!((&versions["present"], &versions["items"][0]["version"]), (&json!(2), &json!(1)));
    let compared = root.get(&format!("{RATES_PATH}/difference?from=1&to=2")).await.body;
    let paths = compared["changes"].as_array().unwrap().iter().map(|change| &change["path"]);
    assert_eq!(paths.collect::<Vec<_>>(), ["table.heavy", "valid_from"]);
    // Who names a version that there is none of is told which there are.
    let unknown = root.get(&format!("{RATES_PATH}/versions/7")).await;
    assert_eq!((unknown.status.as_u16(), &unknown.body["code"]), (404, &json!("unknown_version")));
    let told = "`rates` has no version `7`; there is 1, 2, and `present`";
    assert!(unknown.body["detail"].as_str().unwrap().starts_with(told), "{unknown:?}");
}

#[tokio::test]
async fn two_replicas_that_publish_at_once_do_not_both_win() {
    let Some(database) = testkit::Postgres::scratch().await else { return };
    let replica = || async {
        let service = Service::named("post").processes([("parcel.v1.yaml", PARCEL)]);
        let wish = [("database.url", database.url.clone())];
        Desk::configured(service, None, Clock::manual(noon()), &wish).await
    };
    let (one, other) = (replica().await, replica().await);
    let (ada, bob) = (one.clerk(), other.clerk());
    let mut base = tag(&ada).await;
    for days in 3..8_u64 {
        let texts = [days, days + 10].map(|days| PARCEL.replace("P2D", &format!("P{days}D")));
        let one = publish(&ada, &base, &texts[0]);
        let (first, second) = futures::future::join(one, publish(&bob, &base, &texts[1])).await;
        let (winner, loser) = if first.status == 200 { (first, second) } else { (second, first) };
        assert_eq!((winner.status.as_u16(), loser.status.as_u16()), (200, 412), "{loser:?}");
        assert_eq!(winner.body["version"], days - 1);
        assert_eq!(loser.body["difference"]["to"], days - 1);
        base = winner.headers["etag"].to_str().unwrap().to_owned();
    }
    // Both work by what won, and one history tells of it.
    for person in [&ada, &bob] {
        let opened = person.opens(json!({ "title": "A book" })).await;
        assert_eq!(opened.body["definition"], 6);
    }
    assert!(one.running.office.store.verify().await.unwrap().is_sound());
    one.running.stop(Duration::from_secs(1)).await;
    other.running.stop(Duration::from_secs(1)).await;
}
