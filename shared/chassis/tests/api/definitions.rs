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
    assert_eq!(answer.body, json!({ "process": "parcel", "is_sound": true, "faults": [] }));
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
