//! What is asked for and not there: competences of a role, sections of a document, figures of an analysis, documents
//! of a set, clauses of an edition. What is asked for stands in lists of the service, so that it has versions and dates.

use chrono::{DateTime, Utc};
use engine::{Schemes, instant_of};
use serde_json::{Value, json};

/// The function `missing_competences(role, competences, instant)`: what the role's profile asks for that is not
/// met, or has expired by then.
pub fn missing_competences(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let ([role, held], at) = by_then(given, "a role, competences and an instant")?;
    let counts = |one: &Value| {
        one["is_met"] == true && instant_of(&one["until"]).is_none_or(|until| until > at)
    };
    let names = |one: &Value| counts(one).then(|| one["name"].clone());
    missing(schemes, ("role_profile", role, "competences"), &said(held, names), at)
}

/// The function `missing_sections(key, sections, instant)`: what the document of this key must say and does not.
pub fn missing_sections(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let ([key, sections], at) = by_then(given, "a key, sections and an instant")?;
    let says = |one: &Value| one["content"].as_str().is_some_and(|text| !text.trim().is_empty());
    let names = |one: &Value| says(one).then(|| one["name"].clone());
    missing(schemes, ("required_sections", key, "sections"), &said(sections, names), at)
}

/// The function `missing_figures(subject, figures, instant)`: what an analysis of the subject counts and does not.
pub fn missing_figures(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let ([subject, figures], at) = by_then(given, "a subject, figures and an instant")?;
    let names = said(figures, |one| Some(one["name"].clone()));
    missing(schemes, ("required_figures", subject, "figures"), &names, at)
}

/// The function `missing_documents(set, present, instant)`: what is asked for and not published.
pub fn missing_documents(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let ([set, present], at) = by_then(given, "a set, documents and an instant")?;
    let keys = said(present, |one| Some(one["key"].clone()));
    missing(schemes, ("required_documents", set, "documents"), &keys, at)
}

/// The function `expired_documents(present, instant)`: keys of what should have been reviewed by then.
pub fn expired_documents(given: &[&Value], _: &Schemes) -> Result<Value, String> {
    let ([present], at) = by_then(given, "documents and an instant")?;
    let is_past = |one: &Value| instant_of(&one["until"]).is_some_and(|until| until <= at);
    Ok(Value::Array(said(present, |one| is_past(one).then(|| one["key"].clone()))))
}

/// The function `missing_clauses(edition, covered, instant)`: clauses that no audit covered.
pub fn missing_clauses(given: &[&Value], schemes: &Schemes) -> Result<Value, String> {
    let ([edition, covered], at) = by_then(given, "an edition, audits and an instant")?;
    let audits = covered.as_array().into_iter().flatten();
    let clauses = audits.filter_map(|audit| audit["clauses"].as_array()).flatten();
    // 8.5.1 is part of 8.5.
    let clause = |text: &str| text.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let clauses: Vec<Value> =
        clauses.filter_map(Value::as_str).map(|text| json!(clause(text))).collect();
    missing(schemes, ("audited_clauses", edition, "clauses"), &clauses, at)
}

/// So many arguments, and the instant behind them.
fn by_then<'a, const N: usize>(
    given: &'a [&'a Value],
    takes: &str,
) -> Result<(&'a [&'a Value; N], DateTime<Utc>), String> {
    let all = given
        .split_last()
        .and_then(|(at, first)| Some((<&[&Value; N]>::try_from(first).ok()?, at)));
    let (first, at) = all.ok_or_else(|| format!("it takes {takes}"))?;
    Ok((first, instant_of(at).ok_or("its last argument is an instant")?))
}

/// What each of a list says, where it says something.
fn said(list: &Value, says: impl Fn(&Value) -> Option<Value>) -> Vec<Value> {
    list.as_array().into_iter().flatten().filter_map(says).collect()
}

/// What an entry of a list of the service asks for by that attribute, and is not among what is there.
fn missing(
    schemes: &Schemes,
    (list, entry, attribute): (&str, &Value, &str),
    there: &[Value],
    at: DateTime<Utc>,
) -> Result<Value, String> {
    let listed = schemes.list(list, at).ok_or_else(|| format!("there is no list `{list}`"))?;
    let entry = entry.as_str().and_then(|entry| listed.get(entry, at));
    let asked = entry.and_then(|entry| entry[attribute].as_array()).into_iter().flatten();
    Ok(json!(asked.filter(|name| !there.contains(name)).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-06-01T00:00:00Z";

    fn schemes() -> Schemes {
        Schemes::parse_all(&[
            ("a", "scheme: role_profile\nkind: list\nentries: { auditor: { competences: [Audit, Interviews] } }"),
            ("c", "scheme: audited_clauses\nkind: list\nentries: { '2018': { clauses: ['4.1', '9.2'] } }"),
            ("d", "scheme: required_documents\nkind: list\nentries: { system: { documents: [scope, policy] } }"),
            ("f", "scheme: required_figures\nkind: list\nentries: { changes: { figures: [volume, failures] } }"),
            ("b", "scheme: required_sections\nkind: list\nentries: { plan: { sections: [use, cost] } }"),
        ])
        .expect("they are sound")
    }

    #[test]
    fn a_competence_counts_until_it_expires() {
        let missing = |role: &str, held: Value| {
            missing_competences(&[&json!(role), &held, &json!(AT)], &schemes()).expect("an answer")
        };
        let held = json!([
            { "name": "Audit", "is_met": true, "until": "2026-06-02T00:00:00Z" },
            { "name": "Interviews", "is_met": true, "until": "2026-05-31T00:00:00Z" },
        ]);
        assert_eq!(missing("auditor", held), json!(["Interviews"]));
        assert_eq!(
            missing("auditor", json!([{ "name": "Audit", "is_met": true }])),
            json!(["Interviews"])
        );
        assert_eq!(missing("cook", Value::Null), json!([]));
    }

    #[test]
    fn an_empty_section_is_missing_and_so_is_a_figure_that_is_not_counted() {
        let sections =
            json!([{ "name": "use", "content": " " }, { "name": "cost", "content": "EUR 3" }]);
        let missing = missing_sections(&[&json!("plan"), &sections, &json!(AT)], &schemes());
        assert_eq!(missing, Ok(json!(["use"])));
        assert!(missing_sections(&[&json!("plan")], &schemes()).is_err());
        let figures = json!([{ "name": "volume", "value": 4 }]);
        let missing = missing_figures(&[&json!("changes"), &figures, &json!(AT)], &schemes());
        assert_eq!(missing, Ok(json!(["failures"])));
    }

    #[test]
    fn what_no_audit_covered_and_what_is_not_published_is_told() {
        let covered = json!([{ "audit": "AUD0000001", "clauses": ["9.2.1", "9.1"] }]);
        let gaps = missing_clauses(&[&json!("2018"), &covered, &json!(AT)], &schemes());
        assert_eq!(gaps, Ok(json!(["4.1"])));
        let present =
            json!([{ "key": "scope", "document": "DOC0000001", "until": "2026-05-01T00:00:00Z" }]);
        let missing = missing_documents(&[&json!("system"), &present, &json!(AT)], &schemes());
        assert_eq!(missing, Ok(json!(["policy"])));
        assert_eq!(expired_documents(&[&present, &json!(AT)], &schemes()), Ok(json!(["scope"])));
    }
}
