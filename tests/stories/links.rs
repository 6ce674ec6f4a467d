//! Links across services: each end kept by its own service, told by events, found out once.

use std::time::Duration;

use acceptance::{Door, Options, Platform, until};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

/// The links of a record, but for that of a service to its own item, which it always has.
async fn links(door: &Door, path: &str) -> Vec<Value> {
    let mut links = all_links(door, path).await;
    links.retain(|link| link["relation"] != "has_item");
    links
}

async fn all_links(door: &Door, path: &str) -> Vec<Value> {
    let links = door.get(&format!("{path}/links")).await.good();
    links["items"].as_array().expect("links are a list").clone()
}

/// Relation, number, and whether the other side has found it.
fn said(links: &[Value]) -> Vec<(&str, &str, bool)> {
    let said = links.iter().map(|link| {
        let (relation, number) = (link["relation"].as_str(), link["to"]["number"].as_str());
        let is_confirmed = link["confirmed"] == json!(true);
        (relation.unwrap_or_default(), number.unwrap_or_default(), is_confirmed)
    });
    said.collect()
}

#[tokio::test]
async fn a_link_to_a_record_of_another_service_is_seen_from_both_ends() {
    let platform = Platform::up(Options::default()).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let manager = platform.person("Mona", &["service_level_manager"]).await;
    // Who owns a service sees it, and not what happens to it.
    let owner = platform.person("Ines", &[]).await;
    let ines = crate::promises::number_of(&platform, "Ines").await;
    let mail = json!({ "title": "Mail", "code": "SVC-MAIL", "description": "Mail for all", "owner": ines });
    let mail = manager.post("/api/v1/services", &mail).await.good();
    until("the service has its item", MINUTE, async || {
        said(&all_links(&agent, "/api/v1/services/SVC0000001").await)
            == [("has_item", "CI0000001", true)]
    })
    .await;
    let incident = agent.post("/api/v1/incidents", &json!({ "title": "No mail" })).await.good();
    let (incident_path, mail_path) =
        ("/api/v1/incidents/INC0000001", "/api/v1/services/SVC0000001");
    let tie = async |to: &str| {
        let link = json!({ "relation": "affects", "to": to });
        agent.post(&format!("{incident_path}/links"), &link).await
    };
    let _ = tie("SVC0000001").await.good();
    until("both ends know", MINUTE, async || {
        let (from, back) = (links(&agent, incident_path).await, links(&agent, mail_path).await);
        said(&from) == [("affects", "SVC0000001", true)]
            && said(&back) == [("affected_by", "INC0000001", true)]
    })
    .await;
    let (from, back) = (links(&agent, incident_path).await, links(&agent, mail_path).await);
    assert_eq!((&from[0]["to"]["id"], &back[0]["to"]["id"]), (&mail["id"], &incident["id"]));

    // Nothing is tied twice, and nobody learns of what they do not see.
    assert_eq!(tie("SVC0000001").await.codes(), ["linked"]);
    assert_eq!(links(&owner, mail_path).await, Vec::<Value>::new());
    let history = owner.get(&format!("{mail_path}/history")).await.good();
    let entries = history["items"].as_array().expect("entries");
    let linked: Vec<_> = entries.iter().filter(|entry| entry["event"] == "linked").collect();
    assert_eq!(linked.len(), 2, "{history}");
    let told: Vec<_> = linked.iter().filter_map(|entry| entry.get("link")).collect();
    assert!(matches!(told[..], [item] if item["relation"] == "has_item"), "{history}");

    // Nobody's number is a fault; one that its service does not have is on record there.
    assert_eq!(tie("XYZ0000001").await.codes(), ["unknown_record"]);
    let _ = tie("SVC0000009").await.good();
    until("the service has looked", MINUTE, async || {
        let refusals = platform.get("/api/v1/services/sla/refusals").await.good();
        let items = refusals["items"].as_array().expect("refusals are a list");
        items.iter().any(|item| item["code"] == "unknown_record")
    })
    .await;
    let all = links(&agent, incident_path).await;
    assert_eq!(said(&all), [("affects", "SVC0000001", true), ("affects", "SVC0000009", false)]);
    assert_eq!(all[1]["to"]["id"], Value::Null);

    // One call tells the chain, to each reader their part of it.
    let chain = async |door: &Door, number: &str| {
        let chain = door.get(&format!("/api/v1/chain/{number}")).await.good();
        assert_eq!((&chain["is_whole"], &chain["unreachable"]), (&json!(true), &json!([])));
        let records = chain["records"].as_array().expect("records").iter();
        let of = |member: &Value| {
            let links = member["links"].as_array().expect("links").iter();
            let links: Vec<_> =
                links.map(|link| format!("{} {}", link["relation"], link["to"])).collect();
            let number = &member["record"]["number"];
            format!("{} {number}: {}", member["distance"], links.join(", ")).replace('"', "")
        };
        records.map(of).collect::<Vec<_>>()
    };
    let other = json!({ "title": "Still no mail" });
    let _ = agent.post("/api/v1/incidents", &other).await.good();
    let same = json!({ "relation": "related_to", "to": "INC0000001" });
    let _ = agent.post("/api/v1/incidents/INC0000002/links", &same).await.good();
    assert_eq!(
        chain(&agent, "INC0000002").await,
        [
            "0 INC0000002: related_to INC0000001",
            "1 INC0000001: affects SVC0000001, related_to INC0000002",
            "2 SVC0000001: has_item CI0000001, affected_by INC0000001",
            "3 CI0000001: catalogued_in SVC0000001",
        ]
    );
    assert_eq!(
        chain(&owner, "SVC0000001").await,
        ["0 SVC0000001: has_item CI0000001", "1 CI0000001: catalogued_in SVC0000001"]
    );
    for hidden in ["INC0000001", "INC0000009", "XYZ1"] {
        assert_eq!(owner.get(&format!("/api/v1/chain/{hidden}")).await.status, 404, "{hidden}");
    }

    // A tie ends from whichever end, and at both; who may not tie may not end one either.
    let end = async |door: &Door, path: &str, relation: &str, to: &str| {
        door.delete(&format!("{path}/links/{relation}/{to}")).await
    };
    assert_eq!(end(&owner, mail_path, "affected_by", "INC0000001").await.codes(), ["not_linked"]);
    assert_eq!(end(&agent, incident_path, "affects", "SVC0000007").await.codes(), ["not_linked"]);
    assert_eq!(end(&agent, "/api/v1/incidents/INC0000009", "a", "b").await.status, 404);
    let _ = end(&platform, mail_path, "affected_by", "INC0000001").await.good();
    let _ = end(&agent, incident_path, "related_to", "INC0000002").await.good();
    until("neither end knows of it", MINUTE, async || {
        let (from, back) = (links(&agent, incident_path).await, links(&agent, mail_path).await);
        said(&from) == [("affects", "SVC0000009", false)] && back.is_empty()
    })
    .await;
    assert_eq!(links(&agent, "/api/v1/incidents/INC0000002").await, Vec::<Value>::new());
    assert_eq!(chain(&agent, "INC0000002").await, ["0 INC0000002: "]);
    let history = agent.get(&format!("{incident_path}/history")).await.good();
    let entries = history["items"].as_array().expect("entries").iter();
    let ended: Vec<_> = entries.filter(|entry| entry["event"] == "unlinked").collect();
    assert_eq!(ended.len(), 2, "{history}");
    assert!(ended.iter().any(|entry| entry["unlink"]["to"]["number"] == "INC0000002"), "{history}");
    // What is tied again is tied at both ends.
    let _ = tie("SVC0000001").await.good();
    until("both ends know again", MINUTE, async || {
        said(&links(&agent, mail_path).await) == [("affected_by", "INC0000001", true)]
    })
    .await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}
