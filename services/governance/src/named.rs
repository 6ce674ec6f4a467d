//! One event that concerns several people: whoever must learn what is new before it counts (catalogue row CAT-4).

use engine::Happening;
use serde_json::{Value, json};

/// What a document that is approved says to each of its readers, where they must be taught something:
/// `document.reader_named.v1`; to nobody in particular where it names no readers.
#[must_use]
pub fn readers_of_a_document(event: Happening) -> Vec<Happening> {
    if event.kind != "document.approved.v1" || event.event["training"].is_null() {
        return Vec::new();
    }
    let training = event.event["training"].clone();
    let readers = people(&event.event["readers"]);
    let readers = if readers.is_empty() { vec![Value::Null] } else { readers };
    named(&event, "document.reader_named.v1", readers, &training)
}

/// What an event of a release says here: itself, and to each of its trainees once it is authorised
/// `release.trainee_named.v1`, or `service_project.trainee_named.v1` once a service is planned.
#[must_use]
pub fn trainees_of_a_release(event: Happening) -> Vec<Happening> {
    let (kind, training) = match event.kind.as_str() {
        "release.authorised.v1" => ("release.trainee_named.v1", &event.event["training"]),
        "service_project.planned.v1" => {
            ("service_project.trainee_named.v1", &event.event["plan"]["training"])
        }
        _ => return vec![event],
    };
    let training = training.clone();
    let mut parts = named(&event, kind, people(&event.event["trainees"]), &training);
    parts.push(event);
    parts
}

fn people(list: &Value) -> Vec<Value> {
    list.as_array().cloned().unwrap_or_default()
}

fn named(event: &Happening, kind: &str, people: Vec<Value>, training: &Value) -> Vec<Happening> {
    let part = |person| event.as_part(kind, &[("person", person), ("training", json!(training))]);
    people.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(parts: &[Happening]) -> Vec<(&str, &Value)> {
        parts.iter().map(|part| (part.kind.as_str(), &part.event["person"])).collect()
    }

    fn event(kind: &str, event: Value) -> Happening {
        Happening { kind: kind.to_owned(), event, record: None }
    }

    #[test]
    fn each_reader_is_named_where_something_is_to_be_learnt() {
        let said = |data| readers_of_a_document(event("document.approved.v1", data));
        let kind = "document.reader_named.v1";
        let two = json!({ "training": "Chapter 3", "readers": ["PER0000001", "PER0000002"] });
        assert_eq!(told(&said(two)), [(kind, &json!("PER0000001")), (kind, &json!("PER0000002"))]);
        assert_eq!(told(&said(json!({ "training": "Chapter 3" }))), [(kind, &Value::Null)]);
        assert!(said(json!({ "readers": ["PER0000001"] })).is_empty());
    }

    #[test]
    fn each_trainee_is_named_once_a_release_is_authorised_or_a_service_planned() {
        let release = json!({ "training": "The new tills", "trainees": ["PER0000001"] });
        let parts = trainees_of_a_release(event("release.authorised.v1", release));
        let one = json!("PER0000001");
        let itself = ("release.authorised.v1", &Value::Null);
        assert_eq!(told(&parts), [("release.trainee_named.v1", &one), itself]);
        let project = json!({ "plan": { "training": "Two days" }, "trainees": ["PER0000001"] });
        let parts = trainees_of_a_release(event("service_project.planned.v1", project));
        assert_eq!(parts[0].event["training"], "Two days");
        assert_eq!(trainees_of_a_release(event("release.failed.v1", json!({}))).len(), 1);
    }
}
