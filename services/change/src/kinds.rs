//! What the kind of a configuration item asks of it: its attributes, and the relations that it may have.

use engine::{Schemes, instant_of};
use serde_json::{Value, json};

/// Services of this criticality or a lower number are described in full.
const CRITICAL: i64 = 2;
/// Relations between items; others are not for their kinds to say.
const RELATIONS: [&str; 5] = ["depends_on", "contains", "runs_on", "connects_to", "documented_by"];

/// The function `kind_faults(kind, criticality, attributes, relations, instant)`: what of an item does not fit its
/// kind, as sentences. A kind that the list `ci_kind` does not name asks for nothing.
pub fn kind_faults(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let [kind, criticality, attributes, relations, at] = given else {
        return Err("it takes a kind, a criticality, attributes, relations and an instant".into());
    };
    let at = instant_of(at).ok_or("its last argument is an instant")?;
    let kinds = schemes.list("ci_kind", at).ok_or("there is no list `ci_kind`")?;
    let Some((name, entry)) = kind.as_str().and_then(|name| Some((name, kinds.get(name, at)?)))
    else {
        return Ok(json!([]));
    };
    let mut faults = Vec::new();
    let has = |attribute: &&str| !attributes[attribute].is_null();
    if criticality.as_i64().is_some_and(|criticality| criticality <= CRITICAL) {
        let lacking = words(&entry["attributes"]).filter(|attribute| !has(attribute));
        faults.extend(lacking.map(|attribute| format!("the attribute `{attribute}` is missing")));
    }
    if entry["attributes"].is_array() {
        let there = attributes.as_object().into_iter().flat_map(|all| all.keys());
        let foreign = there.filter(|one| !words(&entry["attributes"]).any(|known| known == *one));
        faults.extend(foreign.map(|one| format!("a {name} has no attribute `{one}`")));
    }
    if entry["relations"].is_array() {
        let is_foreign = |one: &&str| {
            RELATIONS.contains(one) && !words(&entry["relations"]).any(|known| known == *one)
        };
        let foreign = words(relations).filter(is_foreign);
        faults.extend(foreign.map(|one| format!("a {name} has no relation `{one}`")));
    }
    Ok(json!(faults))
}

fn words(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_says_what_is_written_down_and_tied() {
        let text = "scheme: ci_kind\nkind: list\nopen: true\nentries: { database: { attributes: [engine, backup], relations: [runs_on] }, plain: }";
        let schemes = Schemes::parse_all(&[("ci_kind", text)]).expect("it is sound");
        let faults = |kind: &str, criticality: Value, attributes: Value, relations: Value| {
            let (kind, at) = (json!(kind), json!("2026-06-01T00:00:00Z"));
            let given = [&kind, &criticality, &attributes, &relations, &at];
            kind_faults(&given, &schemes).expect("an answer")
        };
        let whole = json!({ "engine": "PostgreSQL", "backup": "nightly" });
        assert_eq!(faults("database", json!(1), whole, json!(["runs_on"])), json!([]));
        assert_eq!(
            faults("database", json!(2), json!({ "engine": "PostgreSQL" }), Value::Null),
            json!(["the attribute `backup` is missing"])
        );
        // What serves no critical service says what is of use; and nothing that its kind does not have.
        assert_eq!(faults("database", json!(3), Value::Null, json!([])), json!([]));
        assert_eq!(
            faults(
                "database",
                Value::Null,
                json!({ "colour": "red" }),
                json!(["contains", "affected_by"])
            ),
            json!([
                "a database has no attribute `colour`",
                "a database has no relation `contains`"
            ])
        );
        for kind in ["plain", "own"] {
            assert_eq!(
                faults(kind, json!(1), json!({ "colour": "red" }), json!(["contains"])),
                json!([])
            );
        }
        assert!(kind_faults(&[&json!("database")], &schemes).is_err());
    }
}
