//! One event that concerns several records here: a release its changes and items, a change its items.

use engine::Happening;
use serde_json::{Value, json};

/// What an event of a release says here: itself, `release.change_{deploying,deployed,backing_out,failed}.v1` to
/// each change that it `contains`, `release.change_contained.v1` to each that it contains from now on, and
/// `release.item_deployed.v1` to each of its `items`.
#[must_use]
pub fn parts_of_a_release(event: Happening) -> Vec<Happening> {
    let mut parts = Vec::new();
    let to_changes = match event.kind.as_str() {
        "release.deploying.v1" => Some("release.change_deploying.v1"),
        "release.deployed.v1" => Some("release.change_deployed.v1"),
        "release.backing_out.v1" => Some("release.change_backing_out.v1"),
        "release.failed.v1" => Some("release.change_failed.v1"),
        _ => None,
    };
    let to_change = |kind, change: &str| event.as_part(kind, &[("change", json!(change))]);
    if let Some(kind) = to_changes {
        parts.extend(texts(&event.event["contains"]).map(|change| to_change(kind, change)));
    }
    let contained = &event.event["changes"]["contains"];
    let begun =
        texts(&contained[1]).filter(|change| !texts(&contained[0]).any(|old| old == *change));
    parts.extend(begun.map(|change| to_change("release.change_contained.v1", change)));
    if event.kind == "release.deployed.v1" {
        let change = event.event["contains"].get(0).cloned().unwrap_or_default();
        for item in event.event["items"].as_array().into_iter().flatten() {
            let with = [
                ("item", item["item"].clone()),
                ("version", item["version"].clone()),
                ("change", change.clone()),
            ];
            parts.push(event.as_part("release.item_deployed.v1", &with));
        }
    }
    parts.push(event);
    parts
}

/// What an event of a change says to its items: `change.item_opened.v1` when it is begun, and
/// `change.item_closed.v1` when it is closed. The rest is heard in the change's own transaction.
#[must_use]
pub fn items_of_a_change(event: Happening) -> Vec<Happening> {
    let kind = match event.kind.as_str() {
        "change.begun.v1" | "change.begun_in_emergency.v1" => "change.item_opened.v1",
        "change.closed.v1" => "change.item_closed.v1",
        _ => return Vec::new(),
    };
    let number = event.event["number"].clone();
    let items = texts(&event.event["items"]);
    let with = |item: &str| [("item", json!(item)), ("change", number.clone())];
    items.map(|item| event.as_part(kind, &with(item))).collect()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, event: Value) -> Happening {
        Happening { kind: kind.to_owned(), event, record: None }
    }

    fn told(happenings: &[Happening]) -> Vec<(&str, &str, &str)> {
        happenings
            .iter()
            .map(|part| {
                let of = |name: &str| part.event[name].as_str().unwrap_or_default();
                (part.kind.as_str(), of("change"), of("item"))
            })
            .collect()
    }

    #[test]
    fn a_deployment_concerns_every_change_and_every_item() {
        let release = json!({
            "number": "REL0000001", "contains": ["CHG0000001", "CHG0000002"],
            "items": [{ "item": "CI0000007", "version": "2.0" }],
        });
        let parts = parts_of_a_release(event("release.deployed.v1", release.clone()));
        assert_eq!(
            told(&parts),
            [
                ("release.change_deployed.v1", "CHG0000001", ""),
                ("release.change_deployed.v1", "CHG0000002", ""),
                ("release.item_deployed.v1", "CHG0000001", "CI0000007"),
                ("release.deployed.v1", "", ""),
            ]
        );
        let parts = parts_of_a_release(event("release.planned.v1", release));
        assert_eq!(told(&parts), [("release.planned.v1", "", "")]);
    }

    #[test]
    fn a_change_hears_that_a_release_contains_it_once() {
        let amended = json!({
            "number": "REL0000001", "contains": ["CHG0000001", "CHG0000002"],
            "changes": { "contains": [["CHG0000001"], ["CHG0000001", "CHG0000002"]] },
        });
        let parts = parts_of_a_release(event("release.amended.v1", amended));
        let expected =
            [("release.change_contained.v1", "CHG0000002", ""), ("release.amended.v1", "", "")];
        assert_eq!(told(&parts), expected);
        let changes = json!({ "contains": [null, ["CHG0000001"]] });
        let parts = parts_of_a_release(event("release.opened.v1", json!({ "changes": changes })));
        assert_eq!(told(&parts)[0], ("release.change_contained.v1", "CHG0000001", ""));
    }

    #[test]
    fn a_change_opens_and_closes_its_items() {
        let change = json!({ "number": "CHG0000001", "items": ["CI0000007", "CI0000008"] });
        let parts = items_of_a_change(event("change.begun.v1", change.clone()));
        let kind = "change.item_opened.v1";
        assert_eq!(
            told(&parts),
            [(kind, "CHG0000001", "CI0000007"), (kind, "CHG0000001", "CI0000008")]
        );
        assert!(items_of_a_change(event("change.submitted.v1", change)).is_empty());
    }
}
