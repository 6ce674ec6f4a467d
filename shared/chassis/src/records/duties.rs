//! What records of a service owe, the first due first: what comes back, and debts.

use axum::{
    Router,
    extract::{Query as Parameters, State},
    routing::get,
};
use chrono::{DateTime, Utc};
use engine::{Definition, Field, Filter, IndexKind, Languages, Op, Record};
use serde_json::{Value, json};
use store::{Query, Sort};

use super::list::{Asked, instant};
use crate::{Office, door::Door, office::time, problem::Problem};

/// The field by which records say when the first of what they owe is due.
const NEXT_DUTY: &str = "next_duty";

pub(super) fn router(office: &Office) -> Router {
    let path = format!("/api/v1/services/{}/duties", office.service);
    Router::new().route(&path, get(duties)).with_state(office.clone())
}

/// Lists what records of all processes owe and the caller sees, a record at the first of its duties:
/// `before` an instant leaves out what is due later, `limit` at most 500, `cursor` that of the item after
/// which the list goes on, of whatever service.
async fn duties(
    State(office): State<Office>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let asked = Asked::parse(pairs, &["before", "limit", "cursor"])?;
    let limit = asked.limit();
    let field = Field::Indexed { name: NEXT_DUTY.to_owned(), kind: IndexKind::Time };
    let owes = |op, value| Filter::Compare { field: field.clone(), op, value };
    let filter = match instant("before", asked.before.as_deref())? {
        Some(before) => owes(Op::LessOrEqual, json!(time(before))),
        None => owes(Op::NotEqual, Value::Null),
    };
    let sort = Sort { field: field.clone(), descending: false };
    let mut found: Vec<(Record, &Definition)> = Vec::new();
    let mut has_more = false;
    let rules = office.rules();
    for definition in rules.processes().filter(|one| one.has_duties_due()) {
        let query = Query {
            process: definition.process.clone(),
            filter: Some(filter.clone()),
            words: None,
            sort: sort.clone(),
            limit,
            cursor: asked.cursor.clone(),
        };
        let page = office.store.list(&query, &door.reader()).await?;
        has_more |= page.next.is_some();
        found.extend(page.items.into_iter().map(|record| (record, definition)));
    }
    found.sort_by(|(one, _), (other, _)| {
        let key = |record: &Record| (record.data.get(NEXT_DUTY).map(Value::to_string), record.id);
        key(one).cmp(&key(other))
    });
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    has_more |= found.len() > limit;
    found.truncate(limit);
    let items: Vec<Value> = found
        .iter()
        .map(|(record, definition)| {
            let mut item = item(record, definition, &door.languages);
            item["cursor"] = sort.cursor_after(record).into();
            item
        })
        .collect();
    let next = items.last().filter(|_| has_more).map(|item| item["cursor"].clone());
    Ok(axum::Json(json!({ "items": items, "next": next })))
}

fn item(record: &Record, definition: &Definition, languages: &Languages) -> Value {
    let kept = |name: &str| record.data.get(name).and_then(Value::as_array).into_iter().flatten();
    let obligations = kept("obligations").map(|owed| {
        let label = owed["name"].as_str().and_then(|name| definition.obligation_label(name));
        let label = label.map(|label| label.told(languages));
        duty("obligation", &owed["name"], label, owed, &owed["owner"])
    });
    let debts = kept("debts").map(|debt| {
        let name = debt["transition"].as_str().unwrap_or_default();
        let label = definition.all_transitions().find(|(_, known)| known.name == name);
        let label = label.map(|(_, transition)| transition.label.told(languages));
        duty("debt", &debt["transition"], label, debt, &debt["by"])
    });
    let duties: Vec<Value> = obligations.chain(debts).collect();
    json!({
        "due_at": record.data.get(NEXT_DUTY),
        "record": {
            "id": record.id,
            "number": record.number,
            "process": record.process,
            "called": definition.title.told(languages),
            "state": record.state,
            "title": record.data.get("title"),
        },
        "duties": duties,
    })
}

fn duty(kind: &str, name: &Value, label: Option<&str>, of: &Value, owner: &Value) -> Value {
    let due: Option<DateTime<Utc>> = of["due_at"].as_str().and_then(|text| text.parse().ok());
    json!({
        "kind": kind,
        "name": name,
        "label": label,
        "owner": owner,
        "due_at": due.map(time),
        "overdue": of["overdue"],
    })
}
