//! Two services that hear each other over a real nats-server.

use std::{
    future::Future,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::bus::{
    Bus, Message, Options,
    server::{Search, Server},
};
use bytes::Bytes;
use chassis::{Hand, Heard, Service};
use contract::{SIGNAL_TYPE, subject};
use engine::Happening;
use futures::StreamExt as _;
use kernel::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desk::{Desk, PARCEL, Person};

const SLIP: &str = include_str!("slip.v1.yaml");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn binary() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return found.clone();
    }
    let found = Search::from_env().find(&mut |said| eprintln!("{said}")).await.unwrap();
    FOUND.get_or_init(|| found).clone()
}

/// A post office, a depot that hears it, and the bus between them.
struct Town {
    server: Server,
    post: Desk,
    depot: Desk,
    bus: Bus,
    hand: Hand,
    _folder: TempDir,
}

impl Town {
    async fn build(translate: fn(&[u8]) -> Result<Heard, String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&binary().await, &folder.path().join("nats")).await.unwrap();
        let options = Options::own_server(server.address().clone(), "town");
        let bus = Bus::connect(options).await.unwrap();
        within("the bus", bus.connected()).await;
        let post = Service::named("post").processes([("parcel.v1.yaml", PARCEL)]);
        let depot = Service::named("depot")
            .processes([("slip.v1.yaml", SLIP)])
            .hears("post", "depot-slips-on-parcels")
            .hears_alerts("depot-slips-on-signals", move |_, payload| translate(payload));
        let clock = Clock::manual(crate::desk::noon());
        let post = Desk::on(post, Some(bus.clone()), clock.clone()).await;
        let depot = Desk::on(depot, Some(bus.clone()), clock.clone()).await;
        let hand = Hand::new(clock);
        hand.hold(post.running.settles());
        hand.hold(depot.running.settles());
        Self { server, post, depot, bus, hand, _folder: folder }
    }

    async fn settle(&self) {
        self.hand.settle().await.unwrap();
    }

    async fn slips(&self) -> Vec<Value> {
        let clerk = self.depot.clerk();
        let answer = clerk.get("/api/v1/slips?sort=number").await;
        answer.body["items"].as_array().unwrap().clone()
    }

    async fn dead_letters(&self) -> Vec<Value> {
        let admin = self.depot.person("Root", &["administrator"]);
        let answer = admin.get("/api/v1/services/depot/dead-letters").await;
        answer.body["items"].as_array().unwrap().clone()
    }

    async fn signal(&self, key: &str, body: impl Into<Bytes>) {
        let message = Message {
            subject: subject::of_alert("test", key),
            headers: Vec::new(),
            payload: body.into(),
        };
        self.bus.publish_all(subject::ALERTS_STREAM, vec![message]).await.unwrap();
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .unwrap_or_else(|_| panic!("waited 60 s for {what}"))
}

fn read(payload: &[u8]) -> Result<Heard, String> {
    let event = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    let happening = Happening { kind: SIGNAL_TYPE.to_owned(), event, record: None };
    Ok(Heard {
        happening,
        outcome: |steps| if steps.is_empty() { "nothing" } else { "noted" }.into(),
    })
}

async fn send(person: &Person<'_>, number: &str) {
    let path = format!("/api/v1/parcels/{number}/transitions/send");
    let sent = person.post(&path, json!({ "depot": "North" })).await;
    assert_eq!(sent.status, 200, "{sent:?}");
}

#[tokio::test]
async fn what_one_service_says_another_hears_in_order() {
    let town = Town::build(read).await;
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let ada = town.post.clerk().with("traceparent", &traceparent);
    for _ in 0..20 {
        ada.opens(json!({ "title": "A book" })).await;
    }
    for number in 1..=20 {
        send(&ada, &format!("PCL{number:07}")).await;
    }
    let courier = town.post.person("Bob", &["courier"]);
    let given = courier.post("/api/v1/parcels/PCL0000003/transitions/give", json!({})).await;
    assert_eq!(given.status, 200);
    town.settle().await;
    let slips = town.slips().await;
    assert_eq!(slips.len(), 20);
    let done = slips.iter().filter(|slip| slip["state"] == "done").count();
    assert_eq!(done, 1, "{slips:#?}");

    // One trace from the request to what followed in another service.
    let from_the_first = [("DEPOT".to_owned(), 0)].into();
    let mut tail = town.bus.tail(&["DEPOT".to_owned()], &from_the_first);
    let event = within("an event", tail.next()).await.unwrap();
    assert!(event.event.traceparent.is_some_and(|trace| trace.contains(TRACE)));
    assert!(event.event.causation.is_some());
}

#[tokio::test]
async fn without_the_bus_a_service_works_and_later_all_arrives() {
    let town = Town::build(read).await;
    let ada = town.post.clerk();
    ada.opens(json!({ "title": "A book" })).await;
    town.settle().await;
    town.server.down().await;
    send(&ada, "PCL0000001").await;
    let request = http::Request::get("/readyz").body(axum::body::Body::empty()).unwrap();
    assert_eq!(town.post.send(request).await.status, 200);
    town.server.up().await;
    within("the bus", town.bus.connected()).await;
    within("the slip", async {
        while town.slips().await.is_empty() {
            town.settle().await;
        }
    })
    .await;
    assert_eq!(town.slips().await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter_and_holds_back_its_own_key_alone() {
    static IS_MENDED: AtomicBool = AtomicBool::new(false);
    let town = Town::build(|payload| {
        if payload.starts_with(b"poison") && IS_MENDED.load(Ordering::SeqCst) {
            return read(br#"{"key":"a","title":"First"}"#);
        }
        read(payload)
    })
    .await;
    town.signal("a", "poison").await;
    town.signal("a", r#"{"key":"a","title":"Second"}"#).await;
    town.signal("b", r#"{"key":"b","title":"Other"}"#).await;
    town.settle().await;
    let titles: Vec<_> =
        town.slips().await.iter().map(|slip| slip["data"]["title"].clone()).collect();
    assert_eq!(titles, ["Other"]);
    let letters = town.dead_letters().await;
    assert_eq!((letters.len(), &letters[0]["payload"]), (1, &json!("poison")));
    assert!(letters[0]["reason"].as_str().unwrap().contains("expected"), "{letters:?}");
    within("the copy on DEAD", async {
        while town.bus.totals(subject::DEAD_STREAM).await.unwrap().messages == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;

    IS_MENDED.store(true, Ordering::SeqCst);
    let admin = town.depot.person("Root", &["administrator"]);
    let named = json!({ "consumer": letters[0]["consumer"], "message": letters[0]["message"] });
    let path = "/api/v1/services/depot/dead-letters/redrive";
    assert_eq!(admin.post(path, named.clone()).await.status, 200);
    town.settle().await;
    assert!(town.dead_letters().await.is_empty());
    let slips = town.slips().await;
    let titles: Vec<_> = slips.iter().map(|slip| slip["data"]["title"].clone()).collect();
    assert_eq!(titles, ["Other", "First"]);
    let history =
        admin.get(&format!("/api/v1/slips/{}/history", slips[1]["number"].as_str().unwrap())).await;
    let events: Vec<_> = history.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"].clone())
        .collect();
    assert_eq!(events, ["opened", "noted"]);
    let deliveries = admin.get("/api/v1/services/depot/deliveries").await;
    assert_eq!(deliveries.body["items"][0]["count"], 3, "{deliveries:?}");
    assert_eq!(admin.post(path, named).await.status, 404);
}

/// A slip whose definition asks the depot's own code.
fn depot(knows_zones: bool) -> Service {
    let depot = Service::named("depot")
        .processes([("slip.v1.yaml", SLIP)])
        .hears("post", "depot-slips-on-parcels");
    let zone: engine::Calculation = |_, _| Ok(json!("north"));
    if knows_zones { depot.calculates([("zone", zone)]) } else { depot }
}

#[tokio::test]
async fn what_comes_for_a_hindered_process_waits_until_it_is_mended() {
    let town = Town::build(read).await;
    let Town { server: _server, post, depot: heard, bus, _folder, .. } = town;
    let mended = heard.again_as(depot(true), Some(bus.clone())).await;
    // What is published asks for code that the next binary does not have.
    let clerk = mended.clerk();
    let path = "/api/v1/processes/slip";
    let present = clerk.get(&format!("{path}/versions/present")).await;
    let tag = present.headers["etag"].to_str().unwrap().to_owned();
    let zoned = SLIP
        .replace(
            "    title: { type: string }\n",
            "    title: { type: string }\n    zone: { type: string, readOnly: true }\n",
        )
        .replace(
            "audience:",
            "functions: { zone: { type: string } }\nderive: { zone: zone(record) }\naudience:",
        );
    let published = clerk.clone().with("if-match", &tag).ask_raw("PUT", path, zoned).await;
    assert_eq!(published.status, 200, "{published:?}");

    let hindered = mended.again_as(depot(false), Some(bus.clone())).await;
    let request = http::Request::get("/readyz").body(axum::body::Body::empty()).unwrap();
    let ready = hindered.send(request).await;
    let why = "process slip, version 2:14:17: this service has no code called `zone`";
    assert_eq!((ready.status.as_u16(), &ready.body["faults"]), (200, &json!([why])));
    let opened = hindered.clerk().post("/api/v1/slips", json!({ "title": "By hand" })).await;
    assert_eq!(opened.status, 409, "{opened:?}");
    assert!(opened.body["detail"].as_str().unwrap().contains("cannot be worked by"), "{opened:?}");

    let ada = post.clerk();
    ada.opens(json!({ "title": "A book" })).await;
    send(&ada, "PCL0000001").await;
    let hand = Hand::new(post.clock.clone());
    hand.hold(post.running.settles());
    hand.hold(hindered.running.settles());
    hand.settle().await.unwrap();
    let waiting = hindered.running.office.store.next_retry("depot-slips-on-parcels").await.unwrap();
    let due = waiting.expect("what came is parked");
    let slips = hindered.clerk().get("/api/v1/slips").await.body["items"].clone();
    assert_eq!(slips, json!([]));

    // Once it is mended, what is parked is done when its time has come.
    let mended = hindered.again_as(depot(true), Some(bus)).await;
    mended.clock.move_to(due);
    let hand = Hand::new(post.clock.clone());
    hand.hold(post.running.settles());
    hand.hold(mended.running.settles());
    hand.settle().await.unwrap();
    let slips = mended.clerk().get("/api/v1/slips").await.body["items"].clone();
    assert_eq!(slips[0]["data"], json!({ "title": "A book", "zone": "north" }), "{slips}");
}

#[tokio::test]
async fn a_stopped_service_gives_back_what_it_held() {
    let town = Town::build(read).await;
    town.signal("a", r#"{"key":"a","title":"First"}"#).await;
    town.settle().await;
    let Town { depot, post, .. } = town;
    let store = depot.running.office.store.clone();
    depot.running.stop(Duration::from_secs(1)).await;
    post.running.stop(Duration::from_secs(1)).await;
    assert!(store.ping().await.is_err());
}
