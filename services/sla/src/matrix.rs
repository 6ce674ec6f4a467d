//! Another way to come to a field of past moments: a priority from impact and urgency, as it might be.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::case::Moment;

/// A matrix as scheme files have it, with the field that it fills.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// What is worked out.
    #[serde(default = "priority")]
    field: String,
    /// The fields whose values lead through the table, one after the other.
    inputs: Vec<String>,
    table: Value,
    /// Where this field has a value, somebody decided otherwise, and would have again.
    #[serde(default = "overridden")]
    unless: String,
}

fn priority() -> String {
    "priority".to_owned()
}

fn overridden() -> String {
    "priority_override".to_owned()
}

impl Matrix {
    /// The fields that it needs of every moment.
    pub fn asked(&self) -> impl Iterator<Item = &String> {
        self.inputs.iter().chain([&self.unless])
    }

    /// Gives a moment the value that the table has for it; none where the table has none. A moment
    /// that does not know an input stays as it is.
    pub fn lay_over(&self, moment: &mut Moment) {
        let fields = &mut moment.fields;
        let is_known = self.inputs.iter().all(|input| fields.contains_key(input));
        let is_overridden = fields.get(&self.unless).is_some_and(|value| !value.is_null());
        if is_known && !is_overridden {
            let value = self.cell(fields).cloned().unwrap_or_default();
            fields.insert(self.field.clone(), value);
        }
    }

    fn cell(&self, fields: &Map<String, Value>) -> Option<&Value> {
        let mut inputs = self.inputs.iter();
        inputs.try_fold(&self.table, |table, input| table.get(fields.get(input)?.as_str()?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn laid_over(fields: Value) -> Value {
        let matrix = json!({
            "inputs": ["impact", "urgency"],
            "table": { "high": { "high": 1, "low": 2 }, "low": { "high": 3 } },
        });
        let matrix: Matrix = serde_json::from_value(matrix).unwrap();
        let mut moment: Moment = serde_json::from_value(json!({
            "at": "2026-03-02T08:00:00Z", "rev": 1, "kind": "incident.opened.v1",
            "fields": fields, "under": null,
        }))
        .unwrap();
        matrix.lay_over(&mut moment);
        moment.fields.get("priority").cloned().unwrap_or_default()
    }

    #[test]
    fn a_priority_is_what_the_table_says_unless_somebody_said_otherwise() {
        let fields = |impact, urgency, over: Value| json!({ "priority": 5, "impact": impact, "urgency": urgency, "priority_override": over });
        assert_eq!(laid_over(fields("high", "low", Value::Null)), 2);
        assert_eq!(laid_over(fields("low", "low", Value::Null)), Value::Null);
        assert_eq!(laid_over(fields("high", "high", json!(5))), 5);
        assert_eq!(laid_over(json!({ "priority": 5, "impact": "high" })), 5);
    }
}
