//! The fragment is complete in itself.

use std::collections::BTreeSet;

use engine::Schemes;

use super::*;

const PROCESS: &str = "
process: parcel
collection: parcels
number: PCL
roles:
  clerk: { accountable: true }
fields:
  required: [title]
  properties:
    title: { type: string, maxLength: 200 }
    reason: { type: string, readOnly: true }
starts: open
states:
  open:
    lose: { to: lost, by: [clerk], needs: [reason] }
    give: { to: gone, by: [clerk] }
  lost: {}
  gone: {}
";

fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get("$ref") {
                into.insert(target.clone());
            }
            map.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_transition_has_a_path() {
    let definition = Definition::parse(PROCESS, 1).unwrap();
    let rules = Ruleset::new(vec![definition], Schemes::new(Vec::new())).unwrap();
    let document = fragment("post", &rules, &[]);
    let mut targets = BTreeSet::new();
    references(&document, &mut targets);
    assert!(targets.len() > 10);
    for target in targets {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
    }
    let lose = &document["paths"]["/api/v1/parcels/{id}/transitions/lose"]["post"];
    assert_eq!(lose["requestBody"]["required"], true);
    assert_eq!(lose["operationId"], "parcel_lose");
    let give = &document["paths"]["/api/v1/parcels/{id}/transitions/give"]["post"];
    assert_eq!(give["requestBody"]["required"], false);
    assert!(lose["responses"].get("412").is_some());
}

#[test]
fn what_governs_a_service_is_told_under_its_own_name() {
    let publication = include_str!("../publications/publication.v1.yaml");
    let definition = Definition::parse(publication, 1).unwrap();
    let rules = Ruleset::new(vec![definition], Schemes::new(Vec::new())).unwrap();
    let document = fragment("post", &rules, &[]);
    let root = "/api/v1/services/post/publications";
    let paths = document["paths"].as_object().unwrap();
    let told: Vec<&str> = paths.keys().filter_map(|path| path.strip_prefix(root)).collect();
    let steps = ["approve", "reject", "withdraw"].map(|step| format!("/{{id}}/transitions/{step}"));
    let mut expected: BTreeSet<&str> = steps.iter().map(String::as_str).collect();
    expected.extend(["", "/{id}", "/{id}/comments", "/{id}/history"]);
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(document["paths"][root]["get"]["operationId"], "post_publication_list");
    assert!(document["paths"][root].get("post").is_none());
}
