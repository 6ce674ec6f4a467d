//! One event that concerns several records here: a release the errors that it is known to have (catalogue row PRB-10).

use engine::Happening;
use serde_json::json;

/// What an event of a release says here: itself, and once it is deployed `release.error_brought.v1` to each of
/// its `known_errors`.
#[must_use]
pub fn errors_of_a_release(event: Happening) -> Vec<Happening> {
    let mut parts = Vec::new();
    if event.kind == "release.deployed.v1" {
        let errors = event.event["known_errors"].as_array().into_iter().flatten();
        let kind = "release.error_brought.v1";
        parts.extend(errors.map(|error| event.as_part(kind, &[("known_error", json!(error))])));
    }
    parts.push(event);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_told_once_the_release_is_deployed() {
        let said = |kind: &str, data| {
            let event = Happening { kind: kind.to_owned(), event: data, record: None };
            errors_of_a_release(event)
        };
        let release = json!({ "known_errors": ["KE0000001", "KE0000002"] });
        let parts = said("release.deployed.v1", release.clone());
        let told: Vec<_> = parts.iter().map(|part| part.event["known_error"].as_str()).collect();
        assert_eq!(told, [Some("KE0000001"), Some("KE0000002"), None]);
        assert_eq!(parts[1].kind, "release.error_brought.v1");
        assert_eq!(said("release.failed.v1", release).len(), 1);
        assert_eq!(said("release.deployed.v1", json!({ "known_errors": null })).len(), 1);
    }
}
