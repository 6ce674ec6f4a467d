//! How a clock remembers: each thing once, and the latest word on what changes.

use engine::Schemes;
use serde_json::{Value, json};

/// `is_new(moments, moment)`: whether no moment of that revision is known.
pub(crate) fn is_new(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let [moments, moment] = given else { return Err("it takes moments and a moment".to_owned()) };
    let is_known = |known: &Value| known.get("rev") == moment.get("rev");
    Ok(json!(!items(moments).iter().any(is_known)))
}

/// `with(list, item)`: the list with the item at its end, unless it is null or in the list already.
pub(crate) fn with(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let [list, item] = given else { return Err("it takes a list and an item".to_owned()) };
    let mut items = items(list).to_vec();
    if !item.is_null() && !items.contains(item) {
        items.push(Value::clone(item));
    }
    Ok(Value::Array(items))
}

/// `latest(known, heard, old, new)`: the new value if the revision heard is above the one known.
pub(crate) fn latest(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let [known, heard, old, new] = given else {
        return Err("it takes two revisions and two values".to_owned());
    };
    let revision = |value: &Value| value.as_u64().unwrap_or(0);
    Ok(Value::clone(if revision(heard) > revision(known) { new } else { old }))
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_kept_once_and_the_latest_word_stands() {
        let none = Schemes::default();
        let moments = json!([{ "rev": 1 }, { "rev": 3 }]);
        assert_eq!(is_new(&[&moments, &json!({ "rev": 3 })], &none), Ok(json!(false)));
        assert_eq!(is_new(&[&moments, &json!({ "rev": 2 })], &none), Ok(json!(true)));
        assert_eq!(with(&[&moments, &json!({ "rev": 3 })], &none), Ok(moments.clone()));
        assert_eq!(with(&[&moments, &Value::Null], &none), Ok(moments.clone()));
        assert_eq!(with(&[&json!([1]), &json!(2)], &none), Ok(json!([1, 2])));
        let latest =
            |heard: u64| latest(&[&json!(5), &json!(heard), &json!("old"), &json!("new")], &none);
        assert_eq!((latest(4), latest(6)), (Ok(json!("old")), Ok(json!("new"))));
    }
}
