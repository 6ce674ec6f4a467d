//! A change over HTTP, from open to closed, through votes that are void and votes that decide.

use chassis::Service;
use engine::Schemes;
use kernel::Clock;
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, Person, noon};

const CHANGE: &str = include_str!("../../../engine/tests/engine/change.v1.yaml");
const WORKING: &str =
    "scheme: working\nkind: calendar\ncalendar: { zone: UTC, week: { mon: ['08:00-18:00'] } }\n";

fn risk_class(_: &[&Value], _: &Schemes) -> Result<Value, String> {
    Ok(json!(3))
}

fn conflicts(_: &[&Value], _: &Schemes) -> Result<Value, String> {
    Ok(json!(false))
}

async fn desk() -> Desk {
    let service = Service::named("change")
        .processes([("change.v1.yaml", CHANGE)])
        .schemes([("working.v1.yaml", WORKING)])
        .calculates([("risk_class", risk_class as engine::Calculation), ("conflicts", conflicts)]);
    Desk::on(service, None, Clock::manual(noon())).await
}

async fn take(person: &Person<'_>, transition: &str, with: Value) -> Answer {
    let path = format!("/api/v1/changes/CHG0000001/transitions/{transition}");
    let answer = person.post(&path, with).await;
    assert_eq!(answer.status, 200, "{transition}: {answer:?}");
    answer
}

async fn vote(person: &Person<'_>, body: Value) -> Answer {
    person.post("/api/v1/changes/CHG0000001/votes", body).await
}

fn approve() -> Value {
    json!({ "transition": "authorise", "vote": "approve", "comment": "go" })
}

#[tokio::test]
async fn a_change_runs_from_open_to_closed() {
    let desk = desk().await;
    let mona = desk.person("mona", &["change_manager"]);
    let [anna, bert, cleo] =
        ["anna", "bert", "cleo"].map(|name| desk.person(name, &["cab_member"]));
    let data = json!({
        "title": "New firewall", "service": "SVC-PAY", "type": "normal", "plan": "swap it",
        "backout": "swap it back", "implementer": "person:mona",
        "window": { "from": "2026-03-16T12:00:00Z", "to": "2026-03-16T14:00:00Z" },
    });
    let rita = desk.person("rita", &["change_manager"]);
    let wrong =
        json!({ "title": "x", "service": "y", "type": "normal", "occurred_at": "last night" });
    assert_eq!(rita.post("/api/v1/changes", wrong).await.codes(), ["format"]);
    let opened = rita.post("/api/v1/changes", data).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    take(&rita, "submit", json!({})).await;
    let tasks = "/api/v1/changes/CHG0000001/tasks";
    let added =
        rita.post(tasks, json!({ "title": "Tell the desk", "assignee": "person:anna" })).await;
    assert_eq!((added.status.as_u16(), &added.body["data"]["tasks"][2]["id"]), (201, &json!(3)));
    let settle = async |person: &Person<'_>, task: u32, state: &str| {
        let body = json!({ "state": state });
        person.ask("PATCH", &format!("{tasks}/{task}"), Some(body)).await.status.as_u16()
    };
    assert_eq!(settle(&rita, 2, "done").await, 409);
    assert_eq!(settle(&anna, 1, "done").await, 403);
    assert_eq!(settle(&rita, 1, "done").await, 200);
    assert_eq!(settle(&rita, 2, "dropped").await, 200);
    assert_eq!(settle(&anna, 3, "done").await, 200);
    assert_eq!(rita.get(tasks).await.body["items"][1]["state"], "dropped");
    take(&rita, "assess", json!({})).await;

    let first = vote(&anna, approve()).await;
    assert_eq!((first.status.as_u16(), &first.body["state"]), (201, &json!("approval")));
    let offered = first.body["offers"].as_array().unwrap();
    let authorise = offered.iter().find(|offer| offer["name"] == "authorise").unwrap();
    let tally = json!({ "quorum": 3, "approvals": 1, "rejections": 0, "missing": 2 });
    assert_eq!(authorise["vote"], tally);
    assert_eq!(vote(&anna, approve()).await.codes(), ["voted"]);
    assert_eq!(vote(&rita, approve()).await.status, 403);
    assert_eq!(vote(&anna, json!({ "transition": "authorise" })).await.codes(), ["one_of"]);
    assert_eq!(vote(&bert, json!({ "transition": "close", "vote": "approve" })).await.status, 409);

    let patch = json!({ "plan": "swap both" });
    let amended = rita.ask("PATCH", "/api/v1/changes/CHG0000001", Some(patch)).await;
    assert!(amended.body["data"]["votes"].is_null(), "{amended:?}");
    vote(&anna, approve()).await;
    let dora = desk.person("dora", &["change_manager"]);
    let hands_over = json!({ "transition": "authorise", "delegate": "person:dora" });
    assert_eq!(vote(&bert, hands_over).await.status, 201);
    assert_eq!(vote(&dora, approve()).await.body["data"]["votes"][2]["for"], "person:bert");
    let last = vote(&cleo, approve()).await;
    assert_eq!(last.body["state"], "scheduled", "{last:?}");

    take(&mona, "implement", json!({})).await;
    let mut late = json!({ "outcome": "success", "occurred_at": "2026-03-16T11:00:00Z" });
    let path = "/api/v1/changes/CHG0000001/transitions/complete";
    assert_eq!(mona.post(path, late.clone()).await.codes(), ["out_of_order"]);
    late["occurred_at"] = json!("2126-03-16T11:00:00Z");
    assert_eq!(mona.post(path, late).await.codes(), ["future"]);
    take(&mona, "complete", json!({ "outcome": "success" })).await;
    let closed = take(&rita, "close", json!({ "review": "as planned" })).await;
    assert_eq!(closed.body["state"], "closed");
    let history = rita.get("/api/v1/changes/CHG0000001/history").await;
    let events = history.body["items"].as_array().unwrap().iter();
    let events: Vec<_> = events.filter_map(|entry| entry["event"].as_str()).collect();
    assert_eq!(
        events,
        [
            "opened",
            "submitted",
            "task_added",
            "task_done",
            "task_dropped",
            "task_done",
            "assessed",
            "voted",
            "amended",
            "voted",
            "voted",
            "voted",
            "authorised",
            "implemented",
            "completed",
            "closed"
        ]
    );
    let picture = rita.get("/api/v1/processes/change/diagram.svg").await;
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    assert!(picture.body.as_str().unwrap().contains(">Closed (1)<"), "{picture:?}");
    // Whoever sees no record sees none counted.
    let nobody = desk.person("nobody", &[]).get("/api/v1/processes/change/diagram.mmd").await;
    assert!(nobody.body.as_str().unwrap().contains("\"Closed (0)\""), "{nobody:?}");
    let raci = rita.get("/api/v1/processes/change/raci").await;
    let authorise =
        raci.body["rows"].as_array().unwrap().iter().find(|row| row["step"] == "authorise");
    assert_eq!(authorise.unwrap()["roles"]["cab_member"], "R");
    let german = rita.clone().with("accept-language", "de-CH, en;q=0.5");
    let process = german.get("/api/v1/processes/change").await.body;
    let labels = json!(["Änderung", "Entwurf", "Risiko", "Einreichen", "Änderungsleiter"]);
    let told = ["/title", "/labels/states/draft", "/labels/fields/risk"]
        .map(|at| process.pointer(at).cloned());
    let told = told.into_iter().chain([
        process.pointer("/states/draft/0/label").cloned(),
        process.pointer("/labels/roles/change_manager").cloned(),
    ]);
    assert_eq!(json!(told.collect::<Vec<_>>()), labels);
    // What a language does not say is said in English.
    let kind = process["form"].as_array().unwrap().iter().find(|field| field["name"] == "type");
    assert_eq!(
        kind.unwrap()["choices"],
        json!([
            { "value": "standard", "title": "Standard" },
            { "value": "normal", "title": "Normal" },
            { "value": "emergency", "title": "Notfall" },
        ])
    );
    assert_eq!(
        (&process["retain"], &process["personal"], &process["late"]["within"]),
        (&json!("P2555D"), &json!(["requester"]), &json!("P2D"))
    );
    let draft = json!({ "title": "Another", "service": "SVC-PAY", "type": "normal" });
    let opened = german.post("/api/v1/changes", draft).await;
    assert_eq!(opened.body["offers"][0]["label"], "Einreichen");
    let page = rita.get("/api/v1/processes/change/page").await;
    assert!(page.body.as_str().unwrap().starts_with("# Change"));
    let document = chassis::openapi::fragment("change", &desk.running.office.rules(), &[]);
    assert!(document["paths"]["/api/v1/changes/{id}/votes"]["post"].is_object());
}
