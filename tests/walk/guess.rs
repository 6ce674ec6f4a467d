//! Plausible values: one for a schema, and several that a guard may ask for.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::book::{numbers, quoted};

/// An instant as the API takes it.
pub fn instant(at: DateTime<Utc>) -> Value {
    json!(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// A value that fits the schema.
pub fn sample(schema: &Value, now: DateTime<Utc>) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["anyOf"].get(0) {
        return sample(first, now);
    }
    let least = |word: &str| schema[word].as_f64();
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => json!(true),
        "integer" => json!(number(least("minimum"), least("maximum")) as i64),
        "number" => json!(number(least("minimum"), least("maximum"))),
        "array" => {
            let count = schema["minItems"].as_u64().unwrap_or(1).max(1);
            (0..count).map(|_| sample(&schema["items"], now)).collect()
        }
        "object" => object(schema, now, true),
        _ => text(schema, now),
    }
}

fn number(least: Option<f64>, most: Option<f64>) -> f64 {
    1_f64.max(least.unwrap_or(1.0)).min(most.unwrap_or(f64::MAX))
}

fn text(schema: &Value, now: DateTime<Utc>) -> Value {
    if schema["format"] == "date-time" {
        return instant(now + TimeDelta::days(10));
    }
    match schema["pattern"].as_str() {
        Some(pattern) if pattern.starts_with("^P") => return json!("PT4H"),
        Some(_) => return json!("word"),
        None => {}
    }
    let most = usize::try_from(schema["maxLength"].as_u64().unwrap_or(20)).unwrap_or(20);
    json!("SOME-TEXT-OF-A-WALKER".chars().take(most.min(20)).collect::<String>())
}

/// What is required, and every yes or no that says `flag`.
fn object(schema: &Value, now: DateTime<Utc>, flag: bool) -> Value {
    let Some(members) = schema["properties"].as_object() else { return json!({}) };
    if members.contains_key("from") && members.contains_key("to") && members.len() == 2 {
        let (from, to) = (now - TimeDelta::hours(1), now + TimeDelta::days(30));
        return json!({ "from": instant(from), "to": instant(to) });
    }
    let required = |name: &String| {
        schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name))
    };
    let mut value = Map::new();
    for (name, member) in members {
        if member["type"] == "boolean" {
            value.insert(name.clone(), json!(flag));
        } else if required(name) {
            value.insert(name.clone(), sample(member, now));
        }
    }
    Value::Object(value)
}

/// Values that a guard may tell apart, the likeliest first; null is none.
pub fn candidates(schema: &Value, guard: &str, now: DateTime<Utc>) -> Vec<Value> {
    let mut values = vec![sample(schema, now)];
    match schema["type"].as_str().unwrap_or_default() {
        _ if schema["enum"].is_array() => {
            values.extend(schema["enum"].as_array().into_iter().flatten().cloned());
        }
        "boolean" => values.push(json!(false)),
        "integer" | "number" => {
            for number in numbers(guard) {
                values.extend([json!(number), json!(number + 1), json!(number - 1)]);
            }
            values.extend([0, 50, 1_000].map(|number| json!(number)));
            values.extend(["minimum", "maximum"].iter().map(|word| schema[*word].clone()));
            let is_within = |value: &Value| {
                let Some(value) = value.as_f64() else { return false };
                let bound = |word: &str| schema[word].as_f64();
                bound("minimum").is_none_or(|least| value >= least)
                    && bound("maximum").is_none_or(|most| value <= most)
            };
            values.retain(is_within);
        }
        "array" if schema["items"]["type"] == "object" => {
            values.push(json!([object(&schema["items"], now, false)]));
        }
        "array" => {}
        "object" if schema["properties"]["from"].is_object() => {
            let ends = |from, to| json!({ "from": instant(now + TimeDelta::days(from)), "to": instant(now + TimeDelta::days(to)) });
            values.extend([ends(20, 30), ends(-30, -20)]);
        }
        "object" => values.push(object(schema, now, false)),
        _ if schema["format"] == "date-time" => {
            values.extend([-60, 400, 40].map(|days| instant(now + TimeDelta::days(days))));
        }
        _ => values.extend(quoted(guard).into_iter().map(Value::String)),
    }
    values.push(Value::Null);
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
