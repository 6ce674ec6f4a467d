//! An incident from report to closure, as the definition says it.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use engine::{
    Command, Definition, Fact, Record, Ruleset, Scheme, Schemes, Subject, apply, decide, offers,
};
use kernel::{Actor, Cause, Channel, Refusal, Rule, derived_id};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub fn rules() -> Ruleset {
    let definitions = incident::DEFINITIONS
        .iter()
        .map(|(file, text)| {
            Definition::parse(text, 1).unwrap_or_else(|faults| panic!("{file}: {faults:#?}"))
        })
        .collect();
    let schemes = incident::SCHEMES
        .iter()
        .map(|(file, text)| {
            Scheme::parse(text, 1).unwrap_or_else(|faults| panic!("{file}: {faults:#?}"))
        })
        .collect();
    Ruleset::new(definitions, Schemes::new(schemes)).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn actor(id: &str, roles: &[&str]) -> Arc<Actor> {
    let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    Arc::new(Actor { id: id.to_owned(), name: id.to_owned(), roles, groups: BTreeSet::new() })
}

/// One record and its history, with a clock that only moves when told.
struct Desk {
    rules: Ruleset,
    now: DateTime<Utc>,
    record: Option<Record>,
    history: Vec<Fact>,
    count: u128,
}

impl Desk {
    fn open() -> Self {
        // A Thursday, 16:00 in Berlin.
        Self {
            rules: rules(),
            now: at("2026-03-26T15:00:00Z"),
            record: None,
            history: Vec::new(),
            count: 0,
        }
    }

    fn act(&mut self, by: &Arc<Actor>, command: Command) -> Result<(), Refusal> {
        self.count += 1;
        let cause = Cause::new(Uuid::from_u128(self.count), Arc::clone(by), self.now, Channel::Api);
        let subject = match &self.record {
            Some(record) => Subject::Existing(record),
            None => Subject::New {
                process: "incident",
                id: derived_id(cause.id, cause.at, 0),
                number: "INC0000001".to_owned(),
            },
        };
        let fact = decide(&self.rules, subject, &command, &cause)?;
        self.record = Some(apply(self.record.take(), &fact));
        self.history.push(fact);
        Ok(())
    }

    fn take(&mut self, by: &Arc<Actor>, name: &str, with: Value) -> Result<(), Refusal> {
        self.act(by, Command::Take { transition: name.to_owned(), with: object(with) })
    }

    fn record(&self) -> &Record {
        self.record.as_ref().unwrap_or_else(|| panic!("nothing was opened"))
    }

    fn field(&self, name: &str) -> Value {
        self.record().data.get(name).cloned().unwrap_or_default()
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn opened() -> (Desk, Arc<Actor>, Arc<Actor>) {
    let mut desk = Desk::open();
    let agent = actor("person:PER0000001", &["agent"]);
    let reporter = actor("person:PER0000002", &["requester"]);
    let data = json!({ "title": "Mail is down", "impact": "high", "urgency": "medium", "service": "SVC-PAY" });
    desk.act(&reporter, Command::Open { data: object(data) }).unwrap_or_else(|no| panic!("{no}"));
    (desk, agent, reporter)
}

fn codes(refused: Result<(), Refusal>) -> (Option<Rule>, Vec<String>) {
    match refused {
        Ok(()) => (None, Vec::new()),
        Err(refusal) => (
            Some(refusal.rule),
            refusal.faults.iter().map(|fault| format!("{} {}", fault.path, fault.code)).collect(),
        ),
    }
}

#[test]
fn priority_and_customer_are_derived_and_their_schemes_recorded() {
    let (desk, ..) = opened();
    assert_eq!(desk.field("priority"), json!(2));
    assert_eq!(desk.field("customer"), json!("Meridian Bank"));
    assert_eq!(desk.field("reporter"), json!("person:PER0000002"));
    assert_eq!(desk.history[0].computed["schemes"], json!({ "priority": 1, "service": 1 }));
}

#[test]
fn an_incident_lives_from_report_to_closure_by_its_reporter() {
    let (mut desk, agent, reporter) = opened();
    let steps = [
        (&agent, "assign", json!({ "group": "GRP0000001" })),
        (&agent, "start", json!({ "assignee": "PER0000001" })),
        (&agent, "hold", json!({ "hold_reason": "caller" })),
        (&agent, "resume", json!({})),
        (&agent, "assign", json!({ "group": "GRP0000002" })),
        (&agent, "resolve", json!({ "resolution_code": "fixed", "resolution": "Restarted." })),
        (&reporter, "reopen", json!({ "reason": "Still down" })),
        (&agent, "resolve", json!({ "resolution_code": "fixed", "resolution": "Replaced." })),
        (&reporter, "close", json!({})),
    ];
    for (by, name, with) in steps {
        desk.take(by, name, with).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    }
    assert_eq!(desk.record().state, "closed");
    assert_eq!(desk.record().closed_at, Some(desk.now));
    assert_eq!((desk.field("reassignments"), desk.field("reopens")), (json!(1), json!(1)));
    assert_eq!(desk.field("assignee"), Value::Null, "a new group has a new assignee");
    let replayed = desk.history.iter().fold(None, |record, fact| Some(apply(record, fact)));
    assert_eq!(replayed, desk.record, "replay is the live result");
}

#[test]
fn evidence_role_and_state_are_asked_with_every_fault_at_once() {
    let (mut desk, agent, reporter) = opened();
    assert_eq!(codes(desk.take(&agent, "start", json!({}))).0, Some(Rule::State));
    assert_eq!(codes(desk.take(&reporter, "assign", json!({ "group": "G" }))).0, Some(Rule::Role));
    let refused = desk.take(&agent, "assign", json!({ "assignee": 7, "colour": "red" }));
    assert_eq!(
        codes(refused),
        (
            Some(Rule::Invalid),
            ["/assignee type", "/colour unknown_field", "/group required"]
                .map(str::to_owned)
                .to_vec()
        )
    );
    assert_eq!(desk.history.len(), 1, "a refusal changes nothing");
    assert_eq!(
        codes(desk.take(&agent, "cancel", json!({ "reason": "  " }))),
        (Some(Rule::Invalid), vec!["/reason required".to_owned()])
    );
}

#[test]
fn without_impact_and_urgency_an_incident_is_not_assigned() {
    let mut desk = Desk::open();
    let agent = actor("person:PER0000001", &["agent"]);
    let open = Command::Open { data: object(json!({ "title": "x" })) };
    desk.act(&agent, open).unwrap_or_else(|refusal| panic!("{refusal}"));
    let refused = desk.take(&agent, "assign", json!({ "group": "G" }));
    assert!(refused.as_ref().is_err_and(|refusal| refusal.rule == Rule::Guard), "{refused:?}");
    let patch = object(json!({ "impact": "low", "urgency": "low" }));
    desk.act(&agent, Command::Amend { patch }).unwrap_or_else(|refusal| panic!("{refusal}"));
    desk.take(&agent, "assign", json!({ "group": "G" })).unwrap_or_else(|no| panic!("{no}"));
    assert_eq!(desk.field("priority"), json!(5));
}

#[test]
fn a_resolved_incident_closes_itself_after_five_working_days() {
    let (mut desk, agent, reporter) = opened();
    for (name, with) in [
        ("assign", json!({ "group": "GRP0000001" })),
        ("start", json!({})),
        ("resolve", json!({ "resolution_code": "fixed", "resolution": "Restarted." })),
    ] {
        desk.take(&agent, name, with).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    }
    let timers = desk.history.last().and_then(|fact| fact.timers.clone()).unwrap_or_default();
    let due: Vec<_> = timers.iter().map(|timer| (timer.transition.as_str(), timer.due)).collect();
    // A weekend and the change to summer time lie between.
    assert_eq!(due, [("close", at("2026-04-02T14:00:00Z"))]);
    desk.now = at("2026-04-02T14:00:01Z");
    let late = desk.take(&reporter, "reopen", json!({ "reason": "again" }));
    assert!(late.is_err_and(|refusal| refusal.faults[0].code == "too_late"));
    let fire = Command::Fire { transition: "close".to_owned() };
    let system = Arc::new(Actor::system("incident"));
    desk.act(&system, fire.clone()).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(desk.record().state, "closed");
    assert!(desk.act(&system, fire).is_err(), "a timer that fires twice meets a closed record");
}

#[test]
fn offers_say_what_is_open_to_whom_and_why_not_the_rest() {
    let (desk, agent, reporter) = opened();
    let named = |actor: &Arc<Actor>| -> Vec<(String, bool)> {
        offers(&desk.rules, desk.record(), actor, &engine::Languages::default(), desk.now)
            .into_iter()
            .map(|offer| (offer.name, offer.refused_because.is_none()))
            .collect()
    };
    // The names in their order, each with whether it is open to the agent and to the reporter.
    let expected = [
        ("assign", true, false),
        ("turn_into_request", true, false),
        ("cancel", true, true),
        ("restrict", true, true),
        ("note_outage", true, false),
        ("suspect", true, false),
        ("override_priority", false, false),
        ("note_breach", false, false),
        ("report_breach", false, false),
    ];
    let to_agent = expected.map(|(name, agent, _)| (name.to_owned(), agent));
    let to_reporter = expected.map(|(name, _, reporter)| (name.to_owned(), reporter));
    assert_eq!(named(&agent), to_agent);
    assert_eq!(named(&reporter), to_reporter);
}

#[test]
fn imported_steps_come_in_their_order() {
    let (mut desk, agent, _) = opened();
    let mut cause = Cause::new(Uuid::from_u128(99), agent, desk.now, Channel::Import);
    cause.occurred_at = Some(desk.now - TimeDelta::days(1));
    let command = Command::Comment { text: "earlier".to_owned() };
    let refused = decide(&desk.rules, Subject::Existing(desk.record()), &command, &cause);
    assert!(refused.is_err_and(|refusal| refusal.faults[0].code == "out_of_order"));
    desk.count = 0;
}
