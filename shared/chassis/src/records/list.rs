//! The list of a process's records: filtered, sorted, a page at a time.

use axum::extract::{Query as Parameters, State};
use chrono::{DateTime, Utc};
use engine::{Definition, Field};
use kernel::{Fault, Refusal, Rule};
use serde_json::{Value, json};
use store::{Query, Sort, Words};

use super::Shelf;
use crate::{door::Door, problem::Problem};

/// A page, unless asked otherwise.
const PAGE: u64 = 50;
/// The longest page.
pub const LONGEST_PAGE: u64 = 500;

/// What a list may be asked, each at most once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub filter: Option<String>,
    pub q: Option<String>,
    pub sort: Option<String>,
    pub limit: Option<u64>,
    pub cursor: Option<String>,
    pub since: Option<String>,
    pub before: Option<String>,
    pub of: Option<String>,
    pub edges: Option<String>,
}

impl Asked {
    /// Reads the query string, where only `allowed` may stand; all faults at once.
    pub fn parse(pairs: Vec<(String, String)>, allowed: &[&str]) -> Result<Self, Problem> {
        let mut asked = Self::default();
        let mut faults = Vec::new();
        for (name, value) in pairs {
            let path = format!("/{name}");
            if !allowed.contains(&name.as_str()) {
                let message =
                    format!("There is no parameter `{name}`; there is {}.", { allowed.join(", ") });
                faults.push(Fault::new(path, "unknown_parameter", message));
                continue;
            }
            let place = match name.as_str() {
                "filter" => &mut asked.filter,
                "q" => &mut asked.q,
                "sort" => &mut asked.sort,
                "cursor" => &mut asked.cursor,
                "since" => &mut asked.since,
                "before" => &mut asked.before,
                "of" => &mut asked.of,
                "edges" => &mut asked.edges,
                _ => {
                    match value.parse() {
                        Ok(limit @ 1..=LONGEST_PAGE) => asked.limit = Some(limit),
                        _ => faults.push(Fault::new(
                            path,
                            "limit",
                            format!("`limit` is a number from 1 to {LONGEST_PAGE}."),
                        )),
                    }
                    continue;
                }
            };
            if value.is_empty() {
                // As good as not given.
                continue;
            }
            if place.replace(value).is_some() {
                faults.push(Fault::new(path, "twice", format!("`{name}` stands twice.")));
            }
        }
        if faults.is_empty() { Ok(asked) } else { Err(Refusal::new(Rule::Invalid, faults).into()) }
    }

    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or(PAGE)
    }
}

/// A parameter that is an instant.
pub(super) fn instant(name: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Problem> {
    let read = text.map(str::parse::<DateTime<Utc>>).transpose();
    let read = read.map_err(|_| {
        let message = format!("`{name}` must be a time like 2026-03-14T22:05:00Z.");
        Problem::invalid(format!("/{name}"), "time", message)
    })?;
    Ok(read.map(kernel::instant))
}

/// Lists what the caller sees: `filter` is a CEL expression over indexed fields, `q` words that stand in
/// its prose or in a comment, `sort` an indexed field (`-updated_at` for the newest first), `limit` at
/// most 500, `cursor` the `next` of the page before.
pub async fn list(
    State(shelf): State<Shelf>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
    door: Door,
) -> Result<axum::Json<Value>, Problem> {
    let asked = Asked::parse(pairs, &["filter", "q", "sort", "limit", "cursor"])?;
    let rules = shelf.office.rules();
    let definition = rules.process(&shelf.process).ok_or_else(Problem::unknown)?;
    let given = asked.filter.as_deref().filter(|filter| !filter.trim().is_empty());
    let query = Query {
        process: shelf.process.to_string(),
        filter: given.map(|filter| rules.filter(definition, filter)).transpose()?,
        words: asked.q.as_deref().map(Words::parse).transpose()?,
        sort: order(definition, asked.sort.as_deref().unwrap_or("-updated_at"))?,
        limit: asked.limit(),
        cursor: asked.cursor.clone(),
    };
    let page = shelf.office.store.list(&query, &door.reader()).await?;
    let items: Vec<Value> = page.items.iter().map(|record| shelf.office.shown(record)).collect();
    Ok(axum::Json(json!({ "items": items, "next": page.next })))
}

/// `-updated_at`: the field, and whether it falls.
fn order(definition: &Definition, sort: &str) -> Result<Sort, Problem> {
    let (name, descending) = match sort.strip_prefix('-') {
        Some(name) => (name, true),
        None => (sort, false),
    };
    let field = Field::named(definition, name).ok_or_else(|| {
        let message = format!("`{name}` is no field that lists can be sorted by.");
        Problem::invalid("/sort", "sort", message)
    })?;
    Ok(Sort { field, descending })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Asked, Vec<String>> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Asked::parse(pairs.collect(), &["filter", "limit", "cursor"])
            .map_err(|problem| problem.errors.iter().map(|fault| fault.path.clone()).collect())
    }

    #[test]
    fn every_fault_of_a_query_string_is_told() {
        assert_eq!(
            parse(&[("limit", "501"), ("colour", "red"), ("cursor", "a"), ("cursor", "b")]),
            Err(vec!["/limit".to_owned(), "/colour".to_owned(), "/cursor".to_owned()])
        );
        assert_eq!(parse(&[("limit", "500")]).unwrap().limit(), 500);
        assert_eq!(parse(&[]).unwrap().limit(), 50);
    }
}
