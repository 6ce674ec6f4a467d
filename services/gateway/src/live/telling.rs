//! One event as a follower hears it, if it may and wants to.

use axum::response::sse::Event;
use chrono::SecondsFormat;
use contract::Envelope;
use engine::{Expression, Happening, Ruleset};
use kernel::{Actor, Reader};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::sync::Arc;

use super::Position;

/// Whom is told, and of what.
pub struct Audience {
    pub actor: Arc<Actor>,
    pub reader: Reader,
    pub filter: Option<Filter>,
}

/// A condition on events: CEL over `event`, as reactions see it, `actor` and `now`.
pub struct Filter {
    expression: Expression,
    rules: Arc<Ruleset>,
}

impl Filter {
    /// Reads the condition.
    ///
    /// # Errors
    /// A sentence, when it is no expression or speaks of a record, which is not at hand here.
    pub fn parse(source: &str, rules: Arc<Ruleset>) -> Result<Self, String> {
        let expression = Expression::parse(source)?;
        if expression.variables().any(|name| ["record", "links", "tasks"].contains(&name)) {
            return Err("live events are filtered by `event`, `actor` and `now`: there is no \
                        `record` here, its fields are those of `event`"
                .to_owned());
        }
        Ok(Self { expression, rules })
    }

    /// Whether it holds; what cannot be worked out for an event does not hold of it.
    fn holds(&self, envelope: &Envelope, actor: &Actor) -> bool {
        let data: Result<Value, _> = serde_json::from_slice(&envelope.data);
        let happening = data.ok().and_then(|data| Happening::of_data(&envelope.kind, &data));
        happening.is_some_and(|happening| {
            let event = &happening.event;
            self.rules
                .holds_of_event(&self.expression, event, actor, envelope.time)
                .unwrap_or(false)
        })
    }
}

/// The JSON format of CloudEvents 1.0.
#[derive(Serialize)]
struct Told<'a> {
    specversion: &'a str,
    id: uuid::Uuid,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    time: String,
    subject: &'a str,
    datacontenttype: &'a str,
    recordid: uuid::Uuid,
    revision: u64,
    correlationid: uuid::Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<&'a str>,
    actor: &'a str,
    data: &'a RawValue,
}

impl Audience {
    /// What this audience is told of an event, if anything; `position` is where it then stands.
    #[must_use]
    pub fn told(&self, envelope: &Envelope, position: &Position) -> Option<Event> {
        if !self.reader.sees(&envelope.audience) {
            return None;
        }
        if self.filter.as_ref().is_some_and(|filter| !filter.holds(envelope, &self.actor)) {
            return None;
        }
        let data: &RawValue = serde_json::from_slice(&envelope.data).ok()?;
        let told = Told {
            specversion: "1.0",
            id: envelope.id,
            source: &envelope.source,
            kind: &envelope.kind,
            time: envelope.time.to_rfc3339_opts(SecondsFormat::Micros, true),
            subject: &envelope.number,
            datacontenttype: "application/json",
            recordid: envelope.record,
            revision: envelope.revision,
            correlationid: envelope.correlation,
            causationid: envelope.causation.as_deref(),
            actor: &envelope.actor,
            data,
        };
        // A type is one of our own words, hence never of several lines.
        let event = Event::default()
            .id(position.to_string())
            .event(envelope.kind.replace(['\r', '\n'], " "));
        event.json_data(told).ok()
    }
}

#[cfg(test)]
mod tests {
    use engine::Schemes;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn audience(tokens: &[&str], filter: Option<&str>) -> Audience {
        let schemes = Schemes::parse_all(&[]).unwrap_or_else(|faults| panic!("{faults:?}"));
        let rules = Ruleset::new(Vec::new(), schemes).unwrap_or_else(|faults| panic!("{faults:?}"));
        let rules = Arc::new(rules);
        let filter = filter.map(|source| Filter::parse(source, rules).expect("a filter"));
        let reader = Reader::Tokens(tokens.iter().map(|token| (*token).to_owned()).collect());
        Audience { actor: Arc::new(Actor::system("test")), reader, filter }
    }

    fn envelope() -> Envelope {
        let data = json!({
            "record": {
                "id": Uuid::nil(), "number": "INC0000001", "process": "incident", "state": "new",
                "rev": 1, "data": {"priority": 2, "title": "line one\nline two"},
            },
            "changes": {},
        });
        Envelope {
            id: Uuid::nil(),
            source: "/steward/incident".to_owned(),
            kind: "incident.opened.v1".to_owned(),
            time: "2026-03-14T22:05:00Z".parse().expect("an instant"),
            number: "INC0000001".to_owned(),
            record: Uuid::nil(),
            revision: 1,
            correlation: Uuid::nil(),
            causation: None,
            actor: "person:PER0000001".to_owned(),
            audience: vec!["role:agent".to_owned(), "group:GRP0000001".to_owned()],
            traceparent: None,
            data: data.to_string().into_bytes(),
        }
    }

    fn check(tokens: &[&str], filter: Option<&str>, expected: bool) {
        let told = audience(tokens, filter).told(&envelope(), &Position::default());
        assert_eq!(told.is_some(), expected, "{tokens:?} {filter:?}");
    }

    #[test]
    fn an_event_is_told_to_who_may_see_it() {
        check(&["role:agent"], None, true);
        check(&["group:GRP0000001", "role:cook"], None, true);
        check(&["role:cook"], None, false);
        check(&[], None, false);
    }

    #[test]
    fn an_event_is_told_to_who_wants_to_hear_it() {
        check(&["role:agent"], Some("event.priority <= 2 && event.state == 'new'"), true);
        check(&["role:agent"], Some("event.ce_type == 'incident.resolved.v1'"), false);
        check(&["role:agent"], Some("event.impact == 'high'"), false);
        check(&["role:cook"], Some("true"), false);
    }

    #[test]
    fn a_filter_that_cannot_be_asked_is_refused() {
        let rules = audience(&[], Some("true")).filter.expect("a filter").rules;
        for source in ["event.", "record.state == 'new'", "surprise == 1"] {
            assert!(Filter::parse(source, rules.clone()).is_err(), "{source}");
        }
    }
}
