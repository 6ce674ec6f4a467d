//! When changes rest.

use engine::{Schemes, instant_of};
use serde_json::{Value, json};

/// The calculation `frozen(instant)`: whether it lies in one of the times of the list `freeze`.
pub fn frozen(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let [at] = given else { return Err("it takes an instant".to_owned()) };
    let at = instant_of(at).ok_or("it takes an instant such as 2026-03-14T22:05:00Z")?;
    let Some(freezes) = schemes.list("freeze", at) else { return Ok(json!(false)) };
    for (name, freeze) in freezes.counting(at) {
        let ends = (instant_of(&freeze["from"]), instant_of(&freeze["to"]));
        let (Some(from), Some(to)) = ends else {
            return Err(format!("the freeze `{name}` has `from` and `to`, each an instant"));
        };
        if from <= at && at < to {
            return Ok(json!(true));
        }
    }
    Ok(json!(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_begins_and_ends() {
        let text = "scheme: freeze\nkind: list\nentries: { may: { from: \"2026-05-01T00:00:00Z\", to: \"2026-05-02T00:00:00Z\" } }";
        let schemes = Schemes::parse_all(&[("freeze", text)]).unwrap();
        let at = |text: &str| frozen(&[&json!(text)], &schemes).unwrap();
        assert_eq!(at("2026-04-30T23:59:59Z"), json!(false));
        assert_eq!(at("2026-05-01T00:00:00Z"), json!(true));
        assert_eq!(at("2026-05-02T00:00:00Z"), json!(false));
        assert!(frozen(&[&json!(3)], &schemes).is_err());
    }
}
