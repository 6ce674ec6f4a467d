//! Files of a record: sent as they are, found by who finds the record, and run by nobody.

use acceptance::{Answer, Door, Options, Platform};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/incidents/INC0000001/attachments";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and then a picture";

async fn attach(door: &Door, name: &str, media_type: &str, bytes: Vec<u8>) -> Answer {
    let name: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let request = door.request(Method::POST, &format!("{PATH}?name={name}"));
    let request = request.header("content-type", media_type).body(bytes);
    door.try_send(request).await.expect("the platform answers")
}

#[tokio::test]
async fn a_file_belongs_to_its_record_and_to_who_sees_it() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let reporter = platform.person("Bob", &["requester"]).await;
    let stranger = platform.person("Eve", &["requester"]).await;
    let _ =
        reporter.post("/api/v1/incidents", &json!({ "title": "The screen is black" })).await.good();

    let made = attach(&reporter, "Käse \"1\".png", "image/png", PNG.to_vec()).await.good();
    assert_eq!(made["rev"], 2);
    let listed = agent.get(PATH).await.good();
    let file = &listed["items"][0];
    assert_eq!(
        (&file["name"], &file["media_type"], &file["size"], &file["by"]["name"]),
        (&json!("Käse \"1\".png"), &json!("image/png"), &json!(PNG.len()), &json!("Bob"))
    );
    let path = format!("{PATH}/2");
    let answer = agent.request(Method::GET, &path).send().await.expect("an answer");
    let said = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(said("content-type"), "image/png");
    assert_eq!(said("x-content-type-options"), "nosniff");
    assert!(said("content-security-policy").contains("sandbox"));
    assert_eq!(
        said("content-disposition"),
        "attachment; filename=\"K_se _1_.png\"; filename*=UTF-8''K%C3%A4se%20%221%22.png"
    );
    assert_eq!(said("etag"), format!("\"{}\"", file["digest"].as_str().expect("a digest")));
    assert_eq!(answer.bytes().await.expect("bytes").as_ref(), PNG);

    // Who does not see the record sees no file of it, and adds none.
    for path in [PATH, &path] {
        assert_eq!(stranger.get(path).await.status, 404);
    }
    assert_eq!(attach(&stranger, "a.txt", "text/plain", b"a".to_vec()).await.status, 404);
    assert_eq!(agent.get(&format!("{PATH}/1")).await.status, 404, "that revision attached nothing");

    let history = agent.get("/api/v1/incidents/INC0000001/history").await.good();
    let entry = &history["items"][1];
    assert_eq!((&entry["event"], &entry["attachment"]), (&json!("file_attached"), &attached(file)));
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// What the journal says of a file.
fn attached(file: &Value) -> Value {
    let mut said = file.clone();
    said.as_object_mut()
        .expect("an object")
        .retain(|name, _| !["rev", "at", "by"].contains(&&**name));
    said
}

#[tokio::test]
async fn what_is_no_sound_file_is_not_taken() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let auditor = platform.person("Ian", &["auditor"]).await;
    let _ =
        agent.post("/api/v1/incidents", &json!({ "title": "The screen is black" })).await.good();
    let refused = attach(&agent, "a.png", "image/png", b"MZ and then a program".to_vec()).await;
    assert_eq!((refused.status.as_u16(), refused.codes()), (422, vec!["media_type"]));
    let refused = attach(&agent, "../a.txt", "text", b"a".to_vec()).await;
    assert_eq!((refused.status.as_u16(), refused.codes()), (422, vec!["name", "media_type"]));
    let refused = attach(&agent, "a.txt", "text/plain", Vec::new()).await;
    assert_eq!((refused.status.as_u16(), refused.codes()), (422, vec!["empty"]));
    let refused = attach(&auditor, "a.txt", "text/plain", b"a".to_vec()).await;
    assert_eq!((refused.status.as_u16(), refused.codes()), (403, vec!["role"]));
    let too_large = vec![b'a'; 26_214_401];
    assert_eq!(attach(&agent, "a.txt", "text/plain", too_large).await.status, 413);
    let nameless = agent.request(Method::POST, &format!("{PATH}?nam=a")).body("a");
    let refused = agent.try_send(nameless).await.expect("an answer");
    assert_eq!(refused.codes(), ["unknown_parameter", "required"]);
    assert_eq!(agent.get(PATH).await.good()["items"], json!([]));

    // As large as may be, the same bytes twice: both are there, and read as they were sent.
    let largest: Vec<u8> = (0..26_214_400_u32).map(|at| (at % 251) as u8).collect();
    for name in ["one.bin", "two.bin"] {
        let _ = attach(&agent, name, "application/octet-stream", largest.clone()).await.good();
    }
    let path = format!("{PATH}/3");
    let answer = agent.request(Method::GET, &path).send().await.expect("an answer");
    assert!(answer.bytes().await.expect("bytes") == largest, "the bytes are others");
}
