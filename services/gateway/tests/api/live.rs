//! Events as they happen, to who may hear them.

use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use testkit::until;

use crate::desk::{Answer, Caller, Desk};

/// One event of a stream.
#[derive(Debug, Default)]
struct Told {
    id: String,
    event: String,
    data: Value,
}

/// An open stream of events.
struct Stream {
    chunks: futures::stream::BoxStream<'static, reqwest::Result<Vec<u8>>>,
    rest: String,
}

impl Stream {
    async fn of(caller: &Caller<'_>, query: &str, after: Option<&str>) -> Self {
        let mut request = caller.request(Method::GET, &format!("/api/v1/events{query}"));
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())).boxed();
        Self { chunks, rest: String::new() }
    }

    /// The next block, a sign of life included.
    async fn block(&mut self) -> Told {
        until("an event", async {
            loop {
                if let Some((block, rest)) = self.rest.split_once("\n\n") {
                    let mut told = Told::default();
                    for line in block.lines() {
                        match line.split_once(": ").or_else(|| line.split_once(':')) {
                            Some(("id", id)) => told.id = id.to_owned(),
                            Some(("event", event)) => told.event = event.to_owned(),
                            Some(("data", data)) => told.data = serde_json::from_str(data).unwrap(),
                            _ => {}
                        }
                    }
                    self.rest = rest.to_owned();
                    return told;
                }
                let chunk = self.chunks.next().await.expect("the stream goes on").unwrap();
                self.rest.push_str(&String::from_utf8(chunk).unwrap());
            }
        })
        .await
    }

    /// The next event.
    async fn next(&mut self) -> Told {
        loop {
            let told = self.block().await;
            if !told.event.is_empty() {
                return told;
            }
        }
    }
}

#[tokio::test]
async fn events_are_told_as_they_happen_and_resumed_where_one_left_off() {
    let desk = Desk::on_the_bus().await;
    let administrator = desk.administrator();
    let mut stream = Stream::of(&administrator, "", None).await;
    let beginning = stream.block().await;
    assert!(beginning.id.starts_with("GATEWAY="), "{beginning:?}");
    let ada = administrator.open("persons", json!({"name": "Ada"})).await;
    let told = stream.next().await;
    assert_eq!(told.event, "person.opened.v1");
    assert_eq!(told.data["type"], "person.opened.v1");
    assert_eq!(told.data["subject"], json!(ada));
    assert_eq!(told.data["specversion"], "1.0");
    assert_eq!(told.data["actor"], "key:administrator");
    assert_eq!(told.data["data"]["record"]["data"]["name"], "Ada");
    drop(stream);

    administrator.open("persons", json!({"name": "Grace"})).await;
    administrator.open("groups", json!({"name": "Network"})).await;
    // From an event, and from the beginning before any.
    let mut resumed = Stream::of(&administrator, "", Some(&told.id)).await;
    assert_eq!(resumed.next().await.data["data"]["record"]["data"]["name"], "Grace");
    assert_eq!(resumed.next().await.event, "group.opened.v1");
    let mut whole = Stream::of(&administrator, "", Some(&beginning.id)).await;
    assert_eq!(whole.next().await.data["subject"], json!(ada));
}

#[tokio::test]
async fn a_filter_narrows_what_is_told() {
    let desk = Desk::on_the_bus().await;
    let administrator = desk.administrator();
    let filter = "?filter=event.ce_type%20==%20'group.opened.v1'%20%26%26%20event.name%20!=%20'A'";
    let mut stream = Stream::of(&administrator, filter, None).await;
    stream.block().await;
    administrator.open("persons", json!({"name": "Ada"})).await;
    administrator.open("groups", json!({"name": "A"})).await;
    administrator.open("groups", json!({"name": "B"})).await;
    assert_eq!(stream.next().await.data["data"]["record"]["data"]["name"], "B");
}

#[tokio::test]
async fn an_event_is_told_to_who_may_see_its_record() {
    let desk = Desk::on_the_bus().await;
    let administrator = desk.administrator();
    let ada = administrator.open("persons", json!({"name": "Ada"})).await;
    let body = json!({"name": "Ada's", "scopes": ["records:read"], "person": ada});
    let (key, _) = desk.key(body).await;
    let mut stream = Stream::of(&key, "", None).await;
    stream.block().await;
    // Ada sees herself and her key, and no other person.
    let grace = administrator.open("persons", json!({"name": "Grace"})).await;
    let amend = administrator.request(Method::PATCH, &format!("/api/v1/persons/{ada}"));
    let amend = amend.json(&json!({"email": "ada@example.org"})).send().await.unwrap();
    assert_eq!(amend.status(), StatusCode::OK);
    // What was on its way when she began to listen may come first.
    loop {
        let told = stream.next().await;
        assert_ne!(told.data["subject"], json!(grace));
        if told.event == "person.amended.v1" {
            assert_eq!(told.data["subject"], json!(ada));
            return;
        }
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_opened_says_why() {
    let desk = Desk::on_the_bus().await;
    let administrator = desk.administrator();
    for query in
        ["?filter=event.", "?filter=record.state%20==%20'new'", "?since=3", "?filter=a&filter=b"]
    {
        let answer = administrator.get(&format!("/api/v1/events{query}")).await;
        assert_eq!(answer.problem(), (422, "invalid"), "{query}");
    }
    let request = administrator.request(Method::GET, "/api/v1/events");
    let answer = request.header("last-event-id", "yesterday").send().await.unwrap();
    assert_eq!(Answer::of(answer).await.problem(), (422, "invalid"));
    let sender = desk.sender().await;
    assert_eq!(sender.get("/api/v1/events").await.problem(), (403, "scope"));
    let alone = Desk::alone().await;
    let answer = alone.administrator().get("/api/v1/events").await;
    assert_eq!(answer.problem(), (503, "bus_unreachable"));
}
