//! What these endpoints share: how a question is read, and words of the OpenAPI documents.

use chassis::Problem;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// What the parameters of a request ask.
///
/// # Errors
/// 422 that says which is missing, unknown or not understood.
pub(super) fn asked<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Problem> {
    let asked = pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    serde_json::from_value(Value::Object(asked))
        .map_err(|fault| Problem::invalid("", "query", fault.to_string()))
}

pub(super) fn instant() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// The answers of an operation: its result, and the problems that every one has beside its own.
pub(super) fn answers(description: &str, schema: Value, problems: &[(&str, &str)]) -> Value {
    let result = json!({ "description": description, "content": { "application/json": { "schema": schema } } });
    let mut answers = Map::from_iter([("200".to_owned(), result)]);
    let always = [
        ("401", "No valid identity"),
        ("403", "A scope or role is missing"),
        ("500", "It could not be worked out"),
        ("503", "The database is away, or what is needed is not at hand"),
    ];
    for (status, description) in always.iter().chain(problems) {
        let schema = json!({ "$ref": "#/components/schemas/ProblemDetails" });
        let content = json!({ "application/problem+json": { "schema": schema } });
        answers.insert(
            (*status).to_owned(),
            json!({ "description": description, "content": content }),
        );
    }
    Value::Object(answers)
}
