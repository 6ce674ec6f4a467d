//! When releases of each type go out.

use engine::{Schemes, instant_of};
use kernel::Span;
use serde_json::{Value, json};

/// The function `on_policy(type, instant)`: whether the release policy lets a release of that type go out then.
/// A type that the policy does not name never does.
pub fn on_policy(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let [kind, at] = given else { return Err("it takes a type and an instant".to_owned()) };
    let at = instant_of(at).ok_or("it takes an instant such as 2026-03-14T22:05:00Z")?;
    let policy = schemes.list("release_policy", at).ok_or("there is no list `release_policy`")?;
    let Some((name, entry)) = kind.as_str().and_then(|name| Some((name, policy.get(name, at)?)))
    else {
        return Ok(json!(false));
    };
    if entry["every"].is_null() {
        return Ok(json!(true));
    }
    let (every, lasts) = (seconds(&entry["every"]), seconds(&entry["for"]));
    let (Some(from), Some(every), Some(lasts)) = (instant_of(&entry["from"]), every, lasts) else {
        return Err(format!(
            "`{name}` has `every` and `for`, such as P28D, and `from`, an instant"
        ));
    };
    Ok(json!((at - from).num_seconds().rem_euclid(every) < lasts))
}

/// How long a span is; none where it is none or nothing.
fn seconds(value: &Value) -> Option<i64> {
    let span: Span = value.as_str()?.parse().ok()?;
    let seconds = i64::from(span.days) * 86_400 + i64::from(span.seconds);
    (seconds > 0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_goes_out_on_its_days() {
        let text = "scheme: release_policy\nkind: list\nentries:\n  minor: { every: P28D, from: \"2026-01-10T00:00:00Z\", for: P2D }\n  \
                    patch: { run: At once }\n  odd: { every: often }";
        let schemes = Schemes::parse_all(&[("release_policy", text)]).expect("it is sound");
        let asked = |kind: &str, at: &str| on_policy(&[&json!(kind), &json!(at)], &schemes);
        let expected = [
            ("minor", "2026-01-11T23:59:59Z", true),
            ("minor", "2026-01-12T00:00:00Z", false),
            ("minor", "2026-02-07T00:00:00Z", true),
            ("minor", "2025-12-13T12:00:00Z", true),
            ("minor", "2025-12-15T12:00:00Z", false),
            ("patch", "2026-01-12T00:00:00Z", true),
            ("unknown", "2026-01-11T00:00:00Z", false),
        ];
        for (kind, at, is_on) in expected {
            assert_eq!(asked(kind, at), Ok(json!(is_on)), "{kind} at {at}");
        }
        assert!(asked("odd", "2026-01-11T00:00:00Z").is_err());
        assert!(asked("minor", "soon").is_err());
    }
}
