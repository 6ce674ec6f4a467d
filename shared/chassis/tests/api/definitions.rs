//! What a person is told of a definition before it is published.

use serde_json::json;

use crate::desk::{Desk, PARCEL};

#[tokio::test]
async fn every_fault_of_a_definition_is_told_with_its_place() {
    let desk = Desk::open().await;
    let clerk = desk.clerk();
    let path = "/api/v1/processes/parcel/check";
    let answer = clerk.ask_raw("POST", path, PARCEL).await;
    assert_eq!(answer.status, 200);
    assert_eq!((&answer.body["is_sound"], &answer.body["faults"]), (&json!(true), &json!([])));
    assert_eq!(answer.body["changes"], json!([]));
    let answer = clerk.ask_raw("POST", path, "process: parcel\nstarts: open\nstate: {}\n").await;
    let faults = answer.body["faults"].as_array().unwrap();
    assert_eq!(
        faults[0],
        json!({ "line": 1, "column": 1, "code": "missing", "message": "`collection` is missing" })
    );
    let near = "`state` means nothing here; did you mean `states`?";
    assert!(faults.iter().any(|fault| fault["line"] == 3 && fault["message"] == near));
    assert_eq!(clerk.ask_raw("POST", path, &b"\xff"[..]).await.status, 400);
    assert_eq!(clerk.ask_raw("POST", "/api/v1/processes/letter/check", PARCEL).await.status, 404);
}

#[tokio::test]
async fn a_draft_is_shown_as_it_would_be_with_all_that_stands_against_publishing_it() {
    let desk = Desk::open().await;
    let clerk = desk.clerk();
    let path = "/api/v1/processes/parcel/check";
    let sent = "send:   { to: sent, by: [clerk], needs: [depot], says: sent }";
    let text =
        PARCEL.replace(sent, &format!("{sent}\n    weigh:  {{ by: [clerk], needs: [weight] }}"));
    let answer = clerk.ask_raw("POST", path, text).await.body;
    assert_eq!(answer["is_sound"], true);
    assert_eq!(answer["changes"][0]["path"], "states.open.weigh");
    assert_eq!(answer["would_be"]["version"], 2);
    assert_eq!(answer["would_be"]["states"]["open"][1]["name"], "weigh");
    // Sound in itself, and yet it cannot be published: links and numbers know it by these.
    let answer =
        clerk.ask_raw("POST", path, PARCEL.replace("number: PCL", "number: BOX")).await.body;
    assert_eq!(
        (&answer["is_sound"], &answer["faults"][0]["code"]),
        (&json!(false), &json!("renamed"))
    );
    let refused = |answer: crate::desk::Answer| answer.body["publish"]["refused_because"].clone();
    assert_eq!(refused(clerk.get("/api/v1/processes/parcel").await), json!(null));
    let courier = desk.person("Cem", &["courier"]);
    assert_eq!(
        refused(courier.get("/api/v1/processes/parcel").await),
        "This needs the role `clerk`."
    );
}
