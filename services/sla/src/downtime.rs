//! How much of an outage counts as planned: what lies in the window of its change, as far as the agreement allows.

use engine::{Schemes, instant_of};
use serde_json::{Value, json};

/// The function `minutes_within(from, to, window)`: whole minutes of a stretch of time that lie in a window; a
/// minute that has begun counts. None where there is no window.
pub(crate) fn minutes_within(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let [from, to, window] = given else { return Err("it takes two instants and a window".into()) };
    let (Some(from), Some(to)) = (instant_of(from), instant_of(to)) else {
        return Err("it takes two instants such as 2026-03-14T22:05:00Z".into());
    };
    let (Some(opens), Some(closes)) = (instant_of(&window["from"]), instant_of(&window["to"]))
    else {
        return Ok(json!(0));
    };
    let seconds = (to.min(closes) - from.max(opens)).num_seconds().max(0);
    Ok(json!(seconds.div_euclid(60) + i64::from(seconds % 60 > 0)))
}

/// The function `still_allowed(asked, agreed, month, known, used)`: how many of the minutes asked for in a month an
/// agreement still allows, of `agreed` in each, when `used` were in the month `known`.
pub(crate) fn still_allowed(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let [asked, agreed, month, known, used] = given else {
        return Err("it takes minutes asked and agreed, two months and minutes used".into());
    };
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let used = if month == known { number(used) } else { 0 };
    Ok(json!(number(asked).min((number(agreed) - used).max(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_window_counts() {
        let window = json!({ "from": "2026-03-14T22:00:00Z", "to": "2026-03-15T00:00:00Z" });
        let within = |from: &str, to: &str, window: &Value| {
            minutes_within(&[&json!(from), &json!(to), window], &Schemes::default())
        };
        let expected = [
            ("2026-03-14T22:00:00Z", "2026-03-15T00:25:00Z", 120),
            ("2026-03-14T23:30:00Z", "2026-03-14T23:30:30Z", 1),
            ("2026-03-15T01:00:00Z", "2026-03-15T02:00:00Z", 0),
        ];
        for (from, to, minutes) in expected {
            assert_eq!(within(from, to, &window), Ok(json!(minutes)), "{from} to {to}");
        }
        assert_eq!(
            within("2026-03-14T22:00:00Z", "2026-03-14T23:00:00Z", &Value::Null),
            Ok(json!(0))
        );
        assert!(within("soon", "later", &window).is_err());
    }

    #[test]
    fn a_month_has_so_many_minutes() {
        let allowed = |asked: i64, agreed: Value, known: Value, used: i64| {
            let given = [json!(asked), agreed, json!("2026-03"), known, json!(used)];
            still_allowed(&given.each_ref(), &Schemes::default()).expect("an answer")
        };
        assert_eq!(allowed(120, json!(240), Value::Null, 0), 120);
        assert_eq!(allowed(120, json!(240), json!("2026-03"), 200), 40);
        assert_eq!(allowed(120, json!(240), json!("2026-03"), 300), 0);
        assert_eq!(allowed(120, json!(240), json!("2026-02"), 240), 120);
        assert_eq!(allowed(120, Value::Null, Value::Null, 0), 0);
    }
}
